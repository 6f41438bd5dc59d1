"""Legal holds: what may not be destroyed, whatever its policy says. Each is a chained audit event.

Nothing is kept beside the audit trail; it is folded each time. What a hold comes too late for is
told with it: the trail says what was destroyed, too.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from audit.retention.policies import Policy, by_table
from core import audit_log
from core.audit_log import AuditLine
from core.contracts.audit import AuditEvent
from core.errors import SettingsError
from core.pseudonyms import is_pseudonym
from core.settings import Settings

EVERYTHING = "all"
HELD, RELEASED, DESTROYED = "retention hold", "retention release", "retention destroyed"
ERASED = "identity erased"  # of somebody of the vault, whose key was destroyed
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Hold(NamedTuple):
    """A hold that is not released. Days are UTC, both included; None: without that end."""

    name: str
    on: tuple[str, ...]  # policies, tables, groups of files, people of the vault, or EVERYTHING
    start: date | None
    end: date | None
    by: str
    reason: str
    ts_us: int

    def covers(self, subject: str, policy: str) -> bool:
        """Whether a table or group of files is under it."""
        return bool({EVERYTHING, subject, policy} & set(self.on))


class Destroyed(NamedTuple):
    """What the trail says was destroyed: all of a subject that was older than a day."""

    subject: str
    before: date
    number: int  # rows, or folders and files
    policy: str
    ts_us: int
    by: str


class Register(NamedTuple):
    """What the trail says of holds and destructions, oldest first."""

    holds: tuple[Hold, ...]
    destroyed: tuple[Destroyed, ...]

    def on(self, subject: str, policy: str) -> list[Hold]:
        """Holds of a table or group of files."""
        return [hold for hold in self.holds if hold.covers(subject, policy)]


def register(home: Path) -> Register:
    """Folded from the home's audit log.

    Raises:
        InputError: the log is damaged.
    """
    return fold(audit_log.read(audit_log.path_in(home)))


def fold(events: Iterable[AuditEvent]) -> Register:
    """What events say."""
    holds, destroyed = dict[str, Hold](), list[Destroyed]()
    for event in events:
        if event.action == HELD:
            holds[event.subject] = _hold(event)
        elif event.action == RELEASED:
            holds.pop(event.subject, None)
        elif event.action == DESTROYED:
            destroyed.append(_destroyed(event))
        elif event.action == ERASED:
            destroyed.append(_erased(event))
    return Register(tuple(holds.values()), tuple(destroyed))


def place(
    settings: Settings, hold: Hold, policies: Mapping[str, Policy], subjects: Mapping[str, str],
    known: bool,
) -> list[str]:  # fmt: skip
    """Note a hold; on disk when this returns. Problems: what it comes too late for.

    Args:
        subjects: every table and group of files, and the policy of each.
        known: whether who holds gave a password.

    Raises:
        SettingsError: a name that is none or stands already, or nothing there is called so.
    """
    register_now = register(settings.home_path)
    if problem := _problem(hold, register_now, policies, subjects):
        raise SettingsError(f"hold {hold.name!r}: {problem}")
    late = too_late(hold, register_now.destroyed, subjects)
    payload = {
        "on": hold.on, "from": hold.start and str(hold.start), "to": hold.end and str(hold.end),
        "too_late_for": late,
    }  # fmt: skip
    _note(settings, HELD, hold, known, hold.reason, payload)
    return late


def release(settings: Settings, name: str, by: str, reason: str, known: bool, ts_us: int) -> None:
    """Note that a hold is over.

    Raises:
        SettingsError: there is none of that name.
    """
    standing = {hold.name: hold for hold in register(settings.home_path).holds}
    if name not in standing:
        there = ", ".join(standing) or "none"
        raise SettingsError(f"no hold {name!r} stands; there are: {there}")
    hold = standing[name]._replace(by=by, ts_us=ts_us)
    _note(settings, RELEASED, hold, known, reason, {"on": hold.on})


def too_late(hold: Hold, destroyed: Iterable[Destroyed], subjects: Mapping[str, str]) -> list[str]:
    """What of it was destroyed before: a hold that names its first day claims all since then."""
    before = [one for one in destroyed if one.ts_us <= hold.ts_us]
    erased = [one for one in before if is_pseudonym(one.subject) and one.subject in hold.on]
    gone = [
        one
        for one in before
        if hold.covers(one.subject, subjects.get(one.subject, one.policy))
        and not is_pseudonym(one.subject)
        and hold.start is not None
        and hold.start < one.before
    ]
    return [
        *(f"{one.subject}: was erased on {one.before} by {one.by}" for one in erased),
        *(
            f"{one.subject}: what was older than {one.before} was destroyed by {one.by}"
            f" ({one.number})"
            for one in gone
        ),
    ]


def _problem(
    hold: Hold, now: Register, policies: Mapping[str, Policy], subjects: Mapping[str, str]
) -> str:
    if _NAME.fullmatch(hold.name) is None:
        return "its name has small letters, digits, and . _ - between"
    if any(hold.name == other.name for other in now.holds):
        return "stands already: release it first, or give another name"
    unknown = [o for o in hold.on if o not in {EVERYTHING, *policies, *subjects}]
    if unknown := [name for name in unknown if not is_pseudonym(name)]:
        there = f"{EVERYTHING}, {', '.join(policies)}, a table, or a pseudonym of the vault"
        return f"nothing is called {', '.join(unknown)}; there are: {there}"
    if not hold.on:
        return f"--on is missing: a policy, a table, a group of files, or {EVERYTHING}"
    if hold.start and hold.end and hold.end < hold.start:
        return f"it ends on {hold.end}, before it begins"
    return "" if hold.reason else "--reason is missing: why, for the record"


def subjects_of(policies: Mapping[str, Policy], tables: Iterable[str]) -> dict[str, str]:
    """The policy of every table and group of files; "" where none names it."""
    tables = list(tables)
    named = dict.fromkeys(tables, "") | by_table(policies, tables)
    return named | {group: name for name, p in policies.items() for group in p.files}


def _note(
    settings: Settings, action: str, hold: Hold, known: bool, reason: str, payload: dict[str, Any]
) -> None:
    line = AuditLine(
        ts_us=hold.ts_us, by=hold.by, authenticated=known, action=action,
        detail=f"{hold.name} on {', '.join(hold.on)}", subject=hold.name, reason=reason,
        payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line)


def _hold(event: AuditEvent) -> Hold:
    said = msgspec.json.decode(event.detail)
    start, end = said.get("from"), said.get("to")
    return Hold(
        event.subject, tuple(said["on"]), start and date.fromisoformat(start),
        end and date.fromisoformat(end), event.actor, event.reason, event.ts_event_us,
    )  # fmt: skip


def _erased(event: AuditEvent) -> Destroyed:
    day = datetime.fromtimestamp(event.ts_event_us / 1e6, UTC).date()
    return Destroyed(event.subject, day, 1, "", event.ts_event_us, event.actor)


def _destroyed(event: AuditEvent) -> Destroyed:
    said = msgspec.json.decode(event.detail)
    return Destroyed(
        event.subject, date.fromisoformat(said["before"]), int(said["count"]), str(said["policy"]),
        event.ts_event_us, event.actor,
    )  # fmt: skip
