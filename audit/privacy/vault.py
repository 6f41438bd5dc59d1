"""Who people are: fields of each person, encrypted under a key of that person alone.

A folder outside the home. `people/P` holds the fields of pseudonym P (AES-256-GCM), `keys/P` the
key, and `papers/P` documents under the same key. Erasing is destroying the key: what copies of
`people` and `papers` exist stay unreadable for ever. So `keys` and `names` belong in no backup that
outlives an erasure. Every access is a chained event of the home's audit trail, written before
anything is shown; it names fields, never what is in them.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.retention.holds import ERASED
from core import audit_log, durable, pseudonyms
from core.audit_log import AuditLine
from core.clock import Clock
from core.credentials import read_private
from core.errors import InputError, SettingsError
from core.settings import Settings

ADDED, REVEALED, CHANGED = "identity added", "identity revealed", "identity changed"
_NONCE, _KEY = 12, 32


class Vault:
    """A home's vault. Every method that touches a person notes it first, or does nothing.

    Raises:
        SettingsError: none is set, or it lies in the home.
    """

    def __init__(self, settings: Settings, clock: Clock, by: str, *, known: bool = False) -> None:
        folder = pseudonyms.vault_of(settings.privacy, settings.home_path)
        if folder is None:
            raise SettingsError(
                "privacy.vault is not set: name a folder outside the home for who people are"
            )
        self._folder, self._home = folder, settings.home_path
        self._clock, self._by, self._known = clock, by, known

    def add(self, fields: Mapping[str, str], names: Iterable[str], reason: str) -> str:
        """A person; the pseudonym. `names` lead to it from now on.

        Raises:
            SettingsError: no field, or a name leads to somebody else.
        """
        _check(fields, reason)
        names = list(names)
        if any(pseudonyms.lookup(self._folder, name) for name in names):
            raise SettingsError("a name leads to somebody of the vault already; nobody was added")
        pseudonym = pseudonyms.new_pseudonym()
        self._note(ADDED, pseudonym, fields, reason)
        for part in ("people", "keys"):
            (self._folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.create(self._key_path(pseudonym), secrets.token_bytes(_KEY), durable.PRIVATE)
        self._write(pseudonym, fields)
        for name in names:
            pseudonyms.enter(self._folder, name, pseudonym)
        return pseudonym

    def reveal(self, pseudonym: str, reason: str) -> dict[str, str]:
        """The fields of a person.

        Raises:
            SettingsError: nobody is called so.
            InputError: they were erased, or changed on disk.
        """
        self._key(pseudonym)
        self._note(REVEALED, pseudonym, (), reason)
        return self._fields(pseudonym)

    def change(self, pseudonym: str, fields: Mapping[str, str], reason: str) -> None:
        """Other values for some fields; the rest stays.

        Raises:
            SettingsError, InputError: see `reveal`.
        """
        _check(fields, reason)
        before = self.reveal(pseudonym, reason)
        self._note(CHANGED, pseudonym, fields, reason)
        self._write(pseudonym, before | dict(fields))

    def erase(self, pseudonym: str, reason: str, basis: str) -> None:
        """Destroy the key of a person, and what leads to them; for ever.

        Raises:
            SettingsError: nobody is called so.
            InputError: they were erased before.
        """
        self._key(pseudonym)
        self._note(ERASED, pseudonym, (), reason, basis)
        path = self._key_path(pseudonym)
        with path.open("r+b") as file:
            file.write(bytes(_KEY))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        durable.sync_directory(path.parent)
        pseudonyms.forget(self._folder, pseudonym)

    def keep(
        self, pseudonym: str, name: str, plain: bytes, action: str, reason: str,
        payload: Mapping[str, object],
    ) -> str:  # fmt: skip
        """A document of a person, under a name that says nothing of them; SHA-256 of what is kept.

        The event of it says `payload`, and that hash as `sealed`.

        Raises:
            SettingsError, InputError: see `reveal`; or the reason names the person.
        """
        self.check_reason(pseudonym, reason)
        sealed = self._encrypted(pseudonym, plain, name)
        digest = hashlib.sha256(sealed).hexdigest()
        self._note(action, pseudonym, (name,), reason, payload={**payload, "sealed": digest})
        (self._folder / "papers" / pseudonym).mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write(self._folder / "papers" / pseudonym / name, sealed, durable.PRIVATE)
        return digest

    def opened(
        self, pseudonym: str, names: Iterable[str], action: str, reason: str
    ) -> dict[str, bytes]:
        """Documents of a person by name; one event for all of them.

        Raises:
            SettingsError, InputError: see `keep`; or one is missing, or changed on disk.
        """
        names = list(names)
        self.check_reason(pseudonym, reason)
        self._note(action, pseudonym, names, reason)
        folder = self._folder / "papers" / pseudonym
        return {name: self._decrypted(pseudonym, folder / name, name) for name in names}

    def fingerprint(self, pseudonym: str, content: bytes) -> str:
        """The same for the same document of the same person; says nothing without their key."""
        return hmac.new(self._key(pseudonym), content, hashlib.sha256).hexdigest()

    def is_kept(self, pseudonym: str, name: str, sealed: str) -> bool:
        """Whether a document is there as it was kept, and somebody could open it."""
        try:
            self._key(pseudonym)
            content = read_private(self._folder / "papers" / pseudonym / name)
        except (SettingsError, InputError, OSError):
            return False
        return hashlib.sha256(content).hexdigest() == sealed

    def check_reason(self, pseudonym: str, reason: str) -> None:
        """Whether a reason, which stays for years, says nothing of who somebody is.

        Raises:
            SettingsError: it does, or nobody is called so.
            InputError: they were erased, or changed on disk.
        """
        _check_unnamed(self._fields(pseudonym), reason)

    def check_reachable(self) -> None:
        """Whether the folder is there at all: else nothing of it could be told from erased.

        Raises:
            SettingsError: it is not.
        """
        if not (self._folder / "keys").is_dir():
            raise SettingsError(f"{self._folder} holds no vault: is its disk mounted?")

    def check_there(self, pseudonym: str) -> None:
        """Whether there is such a person, and not erased.

        Raises:
            SettingsError, InputError: see `erase`.
        """
        self._key(pseudonym)

    def _key(self, pseudonym: str) -> bytes:
        if not pseudonyms.is_pseudonym(pseudonym):
            raise SettingsError("nobody of the vault is called so; give a pseudonym, as p-...")
        try:
            return read_private(self._key_path(pseudonym))
        except FileNotFoundError:
            if (self._folder / "people" / pseudonym).exists():
                raise InputError(pseudonym, "was erased: its key is destroyed") from None
            raise SettingsError(f"{pseudonym}: nobody of the vault is called so") from None

    def _fields(self, pseudonym: str) -> dict[str, str]:
        plain = self._decrypted(pseudonym, self._folder / "people" / pseudonym)
        return msgspec.json.decode(plain, type=dict[str, str])

    def _decrypted(self, pseudonym: str, path: Path, name: str = "") -> bytes:
        key = self._key(pseudonym)
        try:
            sealed = read_private(path)
            bound = f"{pseudonym}{name}".encode()
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        except OSError as error:
            raise InputError(pseudonym, f"{error}; bring the vault back from a copy") from error
        except (InvalidTag, ValueError) as error:
            raise InputError(pseudonym, "is not as it was written; bring the vault back") from error

    def _encrypted(self, pseudonym: str, plain: bytes, name: str = "") -> bytes:
        nonce, bound = os.urandom(_NONCE), f"{pseudonym}{name}".encode()
        return nonce + AESGCM(self._key(pseudonym)).encrypt(nonce, plain, bound)

    def _key_path(self, pseudonym: str) -> Path:
        return self._folder / "keys" / pseudonym

    def _write(self, pseudonym: str, fields: Mapping[str, str]) -> None:
        sealed = self._encrypted(pseudonym, msgspec.json.encode(dict(fields)))
        durable.write(self._folder / "people" / pseudonym, sealed, durable.PRIVATE)

    def _note(
        self, action: str, pseudonym: str, fields: Iterable[str], reason: str, basis: str = "",
        payload: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        line = AuditLine(
            ts_us=self._clock.now_us(), by=self._by, authenticated=self._known, action=action,
            detail=", ".join(fields), subject=pseudonym, reason=reason,
            payload={"basis": basis} if basis else payload or {},
        )  # fmt: skip
        audit_log.append(self._home, line)


def _check(fields: Mapping[str, str], reason: str) -> None:
    if not fields:
        raise SettingsError("no field: give some, as --field name")
    if empty := [name for name, value in fields.items() if not name.isidentifier() or not value]:
        raise SettingsError(f"{', '.join(empty)}: a field has a plain name and a value")
    _check_unnamed(fields, reason)


def _check_unnamed(fields: Mapping[str, str], reason: str) -> None:
    if any(value.casefold() in reason.casefold() for value in fields.values()):
        raise SettingsError("the reason names the person, and would stay: say it otherwise")
