"""Who may use the warehouse: users, roles and hashed passwords in `HOME/users/identity.json`.

The file has a folder of its own, for it is replaced at each change, and so the warehouse's process
can be left that folder to read and not the home.

Without the file whoever is on this machine is `default`, without a password, and reads; servers
then listen on loopback only. As soon as the file exists nobody gets in without a password. The
processes of a home have users of their own (`core.home_users`), whatever stands in the file.
Passwords are kept as scrypt hashes (RFC 7914), so the file is no use to who reads it; it is
still written for its owner's eyes only.
"""

import getpass
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from core import checked_json, durable
from core.errors import SettingsError

Role = Literal["admin", "risk", "writer", "recorder", "analyst", "grafana", "compliance"]
#: Who may allow more risk: limits, overrides, a throttle's release, resuming.
MAY_ALLOW_RISK: tuple[Role, ...] = ("admin", "risk")
#: Who may sign reports and work on cases.
MAY_COMPLY: tuple[Role, ...] = ("compliance", "admin", "analyst")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}")
_TABLE = re.compile(r"\w+\.\w+")
_LEAST_PASSWORD = 8
# 16 MiB and five passes for each guess: of OWASP's equally strong choices the one that suits
# several people who sign in at once.
_N, _R, _P, _MAXMEM = 2**14, 8, 5, 64 * 2**20


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One user.

    `row_filters` maps `database.table` to a condition that every row read from it must meet.
    Limits of 0 are the role's own; they hold for each statement.
    """

    name: str
    role: Role
    password: str  # scrypt$N$r$p$salt$hash, the last two in hex
    row_filters: dict[str, str] = {}
    max_seconds: float = 0
    max_memory_mib: int = 0


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    users: list[User]


#: The one person of a home without an identity file.
ANYBODY = User("default", "analyst", "")
#: Names that begin so are the home's own processes.
RESERVED = "tickhouse."


def path_in(home: Path) -> Path:
    """Where a home's users are kept; a file of before, at the home's root, is moved there.

    Raises:
        SettingsError: there are two files, or the old one cannot be moved.
    """
    path, before = home / "users" / "identity.json", home / "identity.json"
    if os.path.lexists(before):
        _move_in(before, path)
    return path


def _move_in(before: Path, path: Path) -> None:
    if exists(path):
        raise SettingsError(f"{before} and {path}: only one may name the users; remove the other")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        durable.rename(before, path)
    except FileNotFoundError:
        pass  # another process was first
    except OSError as error:
        raise SettingsError(f"{before}: {error}; move it to {path}") from error


def exists(path: Path) -> bool:
    """Whether there is one, also one that cannot be read: then nobody gets in."""
    return os.path.lexists(path)


def load(path: Path) -> dict[str, User]:
    """The users of a file by name.

    Raises:
        SettingsError: the file is missing, malformed, or names a user twice.
    """
    try:
        users = checked_json.read(path, _File).users
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; add a user: tickhouse users add") from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: {error}; correct it, or remove it and add users") from error
    by_name = {user.name: user for user in users}
    if len(by_name) != len(users):
        raise SettingsError(f"{path}: a user stands in it twice: remove one of the two")
    for user in users:
        _check(user, str(path))
    return by_name


def save(path: Path, users: Mapping[str, User]) -> None:
    """Replace the file in one step; only its owner may read it."""
    durable.write(path, rendered(users), durable.PRIVATE)


def rendered(users: Mapping[str, User]) -> bytes:
    """The file of these users."""
    return msgspec.json.format(checked_json.encode(_File(list(users.values())))) + b"\n"


def new_user(
    name: str,
    role: Role,
    password: str,
    row_filters: Mapping[str, str] | None = None,
    max_seconds: float = 0,
    max_memory_mib: int = 0,
) -> User:
    """A user with a hashed password.

    Raises:
        SettingsError: a name, password, filter or limit that cannot be.
    """
    if name.startswith(RESERVED):
        raise SettingsError(f"user {name!r}: names in {RESERVED} are the home's own processes")
    hashed = hash_password(password)
    user = User(name, role, hashed, dict(row_filters or {}), max_seconds, max_memory_mib)
    _check(user, f"user {name!r}")
    return user


def hash_password(password: str) -> str:
    """A salted scrypt hash of it.

    Raises:
        SettingsError: the password is too short.
    """
    if len(password) < _LEAST_PASSWORD:
        raise SettingsError(f"a password has at least {_LEAST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    return _written(salt, _scrypt(password, salt, _N, _R, _P))


def hash_of_nobody() -> str:
    """A hash that no known password has: to check it for an unknown name takes as long."""
    return _written(secrets.token_bytes(16), secrets.token_hex(64))


def _written(salt: bytes, key: str) -> str:
    return "$".join(("scrypt", str(_N), str(_R), str(_P), salt.hex(), key))


def matches(hashed: str, password: str) -> bool:
    """Whether a password is the one hashed. Takes as long for a wrong one."""
    _, n, r, p, salt, expected = hashed.split("$")
    actual = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(actual, expected)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> str:
    # surrogateescape: a password that came in a header may hold any bytes.
    secret = password.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MAXMEM).hex()


def _check(user: User, where: str) -> None:
    if not _NAME.fullmatch(user.name):
        raise SettingsError(f"{where}: name users with letters, digits and _ . @ -")
    if not re.fullmatch(r"scrypt\$\d+\$\d+\$\d+\$[0-9a-f]+\$[0-9a-f]+", user.password):
        raise SettingsError(
            f"{where}: {user.name} has no hashed password; give one: "
            f"tickhouse users password {user.name}"
        )
    if user.row_filters and user.role in ("admin", "writer", "recorder"):
        raise SettingsError(f"{where}: only an analyst or grafana is held to row filters")
    for table, condition in user.row_filters.items():
        if not _TABLE.fullmatch(table) or not condition.strip():
            raise SettingsError(
                f"{where}: row filter {table!r} of {user.name}: write database.table=condition"
            )
    if user.max_seconds < 0 or user.max_memory_mib < 0:
        raise SettingsError(f"{where}: limits of {user.name} are not negative; 0 is the role's own")


def this_user() -> str:
    """Who is logged in on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
