"""A resume that somebody prepared from afar, and that holds only once it is signed where keys are.

It lifts the halt that stood when it was prepared and no later one, and it is over after a day. What
a bot or a server writes here does nothing by itself: `tickhouse resume --prepared` reads it.
"""

from pathlib import Path

import msgspec

from core import checked_json, durable, trading_control
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.errors import InputError

_LIFE_US = 86_400_000_000


class PreparedResume(msgspec.Struct, frozen=True):
    """Who wants to resume, why, and which halt he knows of. Times are microseconds, UTC."""

    by: str
    reason: str
    ts_us: int
    halted_us: int


def path_in(home: Path) -> Path:
    """Where it lies."""
    return home / "prepared_resume.json"


def prepare(home: Path, by: str, reason: str, clock: Clock) -> PreparedResume:
    """Prepare to lift the halt that holds now; a line of the audit log says so first.

    Raises:
        InputError: nothing is halted, or what holds cannot be read.
        OSError: it cannot be kept.
    """
    held = trading_control.current(home)
    if held is None or held.state == "active":
        raise InputError(str(trading_control.path_in(home)), "trading is not halted")
    prepared = PreparedResume(by, reason, clock.now_us(), held.ts_us)
    append(home, AuditLine(prepared.ts_us, by, False, "resume prepared", reason, reason=reason))
    durable.write(path_in(home), checked_json.encode(prepared))
    return prepared


def current(home: Path, clock: Clock) -> PreparedResume:
    """What waits to be signed.

    Raises:
        InputError: nothing does, it is over, or trading was halted anew since.
    """
    path = path_in(home)
    try:
        prepared = checked_json.read(path, PreparedResume)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"no resume is prepared ({error})") from error
    held = trading_control.current(home)
    if held is None or held.ts_us != prepared.halted_us:
        raise InputError(str(path), "trading was halted or resumed since: prepare it again")
    if not 0 <= clock.now_us() - prepared.ts_us <= _LIFE_US:
        raise InputError(str(path), "it was prepared more than a day ago: prepare it again")
    return prepared


def forget(home: Path) -> None:
    """It is signed."""
    path_in(home).unlink(missing_ok=True)
