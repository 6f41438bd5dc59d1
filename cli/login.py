"""Who gives an order that adds risk: a login against the home's users, and a line of audit.

A home without users has nobody to tell apart: the name is then taken as given, and the audit
line says so. A home with a real terminal must have users.
"""

import getpass
import os
import sys
from pathlib import Path

import msgspec

from core import identity
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings


class AuditLine(msgspec.Struct, frozen=True):
    """One line of `<home>/audit.log`."""

    ts_us: int
    by: str
    authenticated: bool
    action: str
    detail: str


def login(settings: Settings, name: str) -> bool:
    """Ask for a user's password; False when the home has no users.

    Raises:
        SettingsError: unknown user, wrong password, not an admin, or real money without users.
    """
    path = identity.path_in(settings.home_path)
    if not path.exists():
        if settings.terminal.kind == "real":
            text = "real money needs a login: tickhouse users add NAME --role admin"
            raise SettingsError(text)
        return False
    user = identity.load(path).get(name)
    if user is None or not identity.matches(user.password, _password(name)):
        raise SettingsError(f"--by {name}: no such user, or another password; nothing was changed")
    if user.role != "admin":
        raise SettingsError(f"--by {name}: a {user.role} may not do this; an admin may")
    return True


def audit(home: Path, line: AuditLine) -> None:
    """Append a line; on disk when this returns."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "audit.log").open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def sign(settings: Settings, clock: Clock, by: str, action: str, detail: str) -> None:
    """Log in, and write down what is about to be done: an order without a trace is not given.

    Raises:
        SettingsError: see `login`.
    """
    known = login(settings, by)
    audit(settings.home_path, AuditLine(clock.now_us(), by, known, action, detail))


def _password(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {name}: ")
    return sys.stdin.readline().rstrip("\r\n")
