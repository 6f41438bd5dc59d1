"""Who gives an order that adds risk: a login against the home's users, and a line of audit.

A home without users has nobody to tell apart: the name is then taken as given, and the audit
line says so. A home with a real terminal must have users.
"""

import getpass
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from core import identity, pseudonyms
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings


def login(settings: Settings, name: str, roles: Sequence[str] = identity.MAY_ALLOW_RISK) -> bool:
    """Ask for a user's password; False when the home has no users.

    Raises:
        SettingsError: unknown user, wrong password, a role that may not, or real money without
            users.
    """
    path = identity.path_in(settings.home_path)
    if not identity.exists(path):
        if settings.terminal.kind != "simulated":
            text = "real money needs a login: tickhouse users add NAME --role admin"
            raise SettingsError(text)
        return False
    user = identity.load(path).get(name)
    if user is None or not identity.matches(user.password, _password(name)):
        raise SettingsError(f"--by {name}: no such user, or another password; nothing was changed")
    if user.role not in roles:
        may = " or ".join(roles)
        raise SettingsError(
            f"--by {name}: a user of role {user.role} may not do this; one of role {may} may"
        )
    return True


def sign(
    settings: Settings,
    clock: Clock,
    by: str,
    action: str,
    detail: str,
    *,
    subject: str = "",
    reason: str = "",
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Log in, and write down what is about to be done: an order without a trace is not given.

    Returns:
        Whether `by` gave a password; False where the home has no users.

    Raises:
        SettingsError: see `login`.
    """
    known = login(settings, by)
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=action, detail=detail,
        subject=subject, reason=reason, payload=payload or {},
    )  # fmt: skip
    append(settings.home_path, line)
    return known


def note(
    settings: Settings,
    clock: Clock,
    by: str,
    action: str,
    detail: str,
    *,
    subject: str = "",
    **payload: object,
) -> None:
    """Write down what was done by somebody whom nobody asked for a password."""
    by = pseudonyms.resolved(settings.privacy, settings.home_path, by)
    line = AuditLine(clock.now_us(), by, False, action, detail, subject, payload=payload)
    append(settings.home_path, line)


def _password(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {name}: ")
    return sys.stdin.readline().rstrip("\r\n")
