"""API keys of a home, `<home>/api/keys.json`: who holds one, what it may, and until when.

A key is `th_`, eight characters that name it, and 256 random bits. What is kept of the bits is an
HMAC under a secret of this home, so the file is no use to who reads it, nor in another home. No
slow hash: nobody guesses 256 bits. The file is watched, so a key that is revoked is out at once.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from api.scopes import SCOPES, Scope
from core import checked_json, credentials, durable
from core.errors import SettingsError
from core.watched_file import WatchedFile

_KEY = re.compile(r"th_([0-9a-z]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[\w .@-]{1,64}")
_DAY_US = 86_400_000_000
LONGEST_DAYS, MOST_PER_MINUTE, MOST_KEYS = 366, 1_000_000_000, 10_000


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key. Times are microseconds, UTC; it holds until `until_us`, excluded."""

    key_id: str
    name: str  # what it is for
    user: str  # whose it is
    scopes: tuple[Scope, ...]
    digest: str  # HMAC-SHA-256 of the secret part, hex
    made_us: int
    until_us: int
    per_minute: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: list[ApiKey]


def path_in(home: Path) -> Path:
    """Where a home keeps them."""
    return home / "api" / "keys.json"


def load(home: Path) -> dict[str, ApiKey]:
    """The keys of a home by id; none without the file.

    Raises:
        SettingsError: the file is damaged, or names an id twice.
    """
    path = path_in(home)
    try:
        keys = checked_json.read(path, _File).keys
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        problem = f"{path}: {error}; bring it back from a backup, or remove it and make new keys"
        raise SettingsError(problem) from error
    by_id = {key.key_id: key for key in keys}
    if len(by_id) != len(keys):
        raise SettingsError(f"{path}: a key stands in it twice: remove one of the two")
    return by_id


def save(home: Path, keys: Mapping[str, ApiKey]) -> None:
    """Replace the file in one step; only its owner may read it."""
    text = msgspec.json.format(checked_json.encode(_File(list(keys.values()))))
    path = path_in(home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(path, text + b"\n", durable.PRIVATE)


def new_key(
    home: Path, name: str, user: str, scopes: Sequence[str], days: float, per_minute: int,
    now_us: int,
) -> tuple[ApiKey, str]:  # fmt: skip
    """A key and its text, which nobody can have again.

    Raises:
        SettingsError: a name, scope, span or limit that cannot be.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"key {name[:64]!r}: 1 to 64 letters, digits, blanks and _ . @ -")
    granted = tuple(scope for scope in SCOPES if scope in scopes)
    if not granted or set(scopes) - set(SCOPES):
        raise SettingsError(f"key {name!r}: say what it may: --scope {', '.join(SCOPES)}")
    if not 0 < days <= LONGEST_DAYS:
        raise SettingsError(f"key {name!r}: every key has an end: --days 1 to {LONGEST_DAYS}")
    if not 0 < per_minute <= MOST_PER_MINUTE:
        raise SettingsError(f"key {name!r}: --per-minute 1 to {MOST_PER_MINUTE}")
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    digest = digest_of(pepper(home), secret)
    until_us = now_us + int(days * _DAY_US)
    key = ApiKey(
        key_id=key_id, name=name, user=user, scopes=granted, digest=digest, made_us=now_us,
        until_us=until_us, per_minute=per_minute,
    )  # fmt: skip
    return key, f"th_{key_id}_{secret}"


def pepper(home: Path) -> bytes:
    """The home's secret that digests are made with; made at the first call.

    Raises:
        SettingsError: others may read its file, or it holds no secret of ours.
    """
    return credentials.secret(credentials.directory_of(home), "api.keys").encode()


def digest_of(secret_of_home: bytes, secret: str) -> str:
    """What is kept of a key's secret part."""
    return hmac.new(secret_of_home, secret.encode(), hashlib.sha256).hexdigest()


class KeyRing:
    """Keys of a home as the file stands, for who checks them. Used from one event loop.

    Args:
        look_s: seconds within which the file is not looked at again.

    Raises:
        SettingsError: the home's secret cannot be trusted.
    """

    def __init__(self, home: Path, look_s: float = 0) -> None:
        self._home, self._pepper = home, pepper(home)
        self._file = WatchedFile(path_in(home), look_s)
        self._nobody = digest_of(self._pepper, secrets.token_urlsafe(32))
        self._keys: dict[str, ApiKey] = {}
        self.problem = ""  # why nobody is let in

    def key(self, text: str) -> ApiKey | None:
        """The key of a text, whether or not it has ended; None when it is none of this home's.

        Takes as long for an id that is not known as for a wrong secret.
        """
        self._refresh()
        match = _KEY.fullmatch(text)
        key_id, secret = match.groups() if match else ("", "")
        key = self._keys.get(key_id)
        expected = key.digest if key else self._nobody
        is_right = hmac.compare_digest(digest_of(self._pepper, secret), expected)
        return key if is_right else None

    def _refresh(self) -> None:
        if not self._file.has_changed():
            return
        self._keys, self.problem = {}, ""
        try:
            self._keys = load(self._home)
        except SettingsError as error:  # better nobody than who was thrown out
            self.problem = str(error)
