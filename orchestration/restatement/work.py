"""How every restatement goes: keep what stands, do the work, note what stands now, close it.

The audit trail gets one event per correction, kind and trading day, before the work counts as
done: an event that is in the trail already, because a process died behind it, is not repeated.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from core import audit_log, crashpoint
from core.audit_log import AuditLine
from core.clock import Clock
from core.settings import Settings
from orchestration.restatement import rows
from orchestration.restatement.rows import DONE, Change, Restatement

_ACTION = "restate"


class Desk(NamedTuple):
    """What a restatement works with. `by`: who asked for it, for the audit trail."""

    settings: Settings
    client: Client
    clock: Clock
    by: str


def keep(desk: Desk, work: Restatement, before: Mapping[str, Any]) -> dict[str, Restatement]:
    """Store how each subject stands, unless that was kept by an attempt before this one."""
    kept = rows.kept(desk.client, work)
    new = {
        subject: replace(work.of(subject), before=rows.text(value))
        for subject, value in before.items()
        if subject not in kept
    }
    rows.write(desk.client, list(new.values()), desk.clock.now_us())
    crashpoint.reach("restate.kept")
    return kept | new


def before(desk: Desk, work: Restatement, subject: str) -> Any:
    """How a subject stood, as it was kept; None when nothing was."""
    part = rows.kept(desk.client, work).get(subject)
    return msgspec.json.decode(part.before) if part and part.before else None


def finish(
    desk: Desk, work: Restatement, changes: Mapping[str, Change], status: str = DONE
) -> Restatement:
    """Store how every subject stands now, tell the audit trail, and close the work."""
    note(desk, work, changes, status)
    return close(desk, work, status)


def note(desk: Desk, work: Restatement, changes: Mapping[str, Change], status: str = DONE) -> None:
    """Store how subjects stand now; others of the same work may still be to do."""
    known = rows.kept(desk.client, work)
    parts = [
        replace(
            known.get(subject, work.of(subject)), status=status, rows=change.rows,
            before=rows.text(change.before), after=rows.text(change.after),
        )
        for subject, change in changes.items()
    ]  # fmt: skip
    rows.write(desk.client, parts, desk.clock.now_us())
    crashpoint.reach("restate.noted")


def close(desk: Desk, work: Restatement, status: str = DONE) -> Restatement:
    """The work is done: into the audit trail, and then into its own row."""
    parts = rows.kept(desk.client, work)
    others = {name: part for name, part in parts.items() if part.rows}
    closed = replace(
        work, status=status, rows=sum(part.rows for part in others.values()),
        before=rows.text({name: _side(part.before) for name, part in others.items()}),
        after=rows.text({name: _side(part.after) for name, part in others.items()}),
    )  # fmt: skip
    _audit(desk, closed)
    crashpoint.reach("restate.audited")
    rows.write(desk.client, [closed], desk.clock.now_us())
    crashpoint.reach("restate.closed")
    return closed


def _side(text: str) -> Any:
    return msgspec.json.decode(text) if text else None


def _audit(desk: Desk, closed: Restatement) -> None:
    identity = ".".join(closed.key)
    home = desk.settings.home_path
    if any(_identity(event) == identity for event in audit_log.read(audit_log.path_in(home))):
        return
    feed = f"{closed.source}.{closed.symbol}".strip(".")
    line = AuditLine(
        ts_us=desk.clock.now_us(), by=desk.by, authenticated=False, action=_ACTION,
        detail=f"{closed.what} of {feed}: {closed.rows} rows {closed.status}",
        subject=str(closed.trading_day), reason=f"correction {closed.correction_id}",
        payload={
            "restatement": identity, "before": _side(closed.before), "after": _side(closed.after),
        },
    )  # fmt: skip
    audit_log.append(home, line)


def _identity(event: Any) -> str:
    if event.action != _ACTION:
        return ""
    return str(msgspec.json.decode(event.detail).get("restatement", ""))
