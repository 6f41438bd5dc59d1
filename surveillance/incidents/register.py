"""The register of incidents: what happened, how it was classified, what was filed, by whom.

Nothing is kept beside the audit trail, a chained event a step, so that it can be written with
everything else down; the view `incident` folds it. A critical alert of a live account opens one by
itself; the alerts of a rule and subject on one UTC day are one incident. Time limits are those of
article 5 of Delegated Regulation (EU) 2025/301.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from clickhouse_connect.driver.client import Client
from msgspec.structs import asdict

from adapters.clickhouse.client import errors_translated
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.errors import BusyError, InputError, SettingsError
from surveillance.firing import Change
from surveillance.incidents.classes import Impact, classify

Filing = Literal["initial", "intermediate", "final"]
FILINGS: tuple[str, ...] = get_args(Filing)
WATCH = "watch"
_log = logging.getLogger(__name__)


class Incident(NamedTuple):
    """One incident; the columns of the view `incident`. Times UTC; 1970: not yet."""

    incident_id: str
    mode: str
    account: str
    title: str
    rule: str  # of the alert that opened it; "" by a person
    subject: str
    ts_began: datetime
    ts_aware: datetime
    ts_ended: datetime
    alerts: int  # how often it fired
    status: str  # open, classified or closed
    major: bool
    impact: str  # JSON of the newest classification; "" without
    basis: Sequence[str]
    classified_by: str
    ts_classified: datetime
    ts_initial: datetime
    ts_intermediate: datetime
    ts_final: datetime
    filed: Sequence[str]  # what, with the authority's reference, in order
    due_step: str  # classification, initial, intermediate, final; "" nothing
    ts_due: datetime
    cause: str  # of the closing
    closed_by: str
    ts_closed: datetime
    notes: Sequence[str]

    def is_late(self, now: datetime) -> bool:
        """Whether a time limit has passed."""
        return bool(self.due_step) and now > self.ts_due


def incidents(
    client: Client, mode: str, *, incident_id: str = "", closed: bool = True
) -> list[Incident]:
    """Incidents of a mode, the newest first.

    Args:
        incident_id: how its id begins; "": all.
        closed: closed ones, too.
    """
    columns = ", ".join(f"`{name}`" for name in Incident._fields)
    with errors_translated():
        rows = client.query(
            f"SELECT {columns} FROM incident WHERE mode = {{mode:String}}"
            " AND startsWith(incident_id, {begins:String})"
            " AND ({closed:Bool} OR status != 'closed') ORDER BY ts_aware DESC, incident_id",
            parameters={"mode": mode, "begins": incident_id, "closed": closed},
        ).result_rows
    return [Incident(*map(_zoned, row)) for row in rows]


def _zoned(value: object) -> Any:
    """Times of the client have no zone; they are UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def incident_of(client: Client, mode: str, incident_id: str) -> Incident:
    """One incident.

    Raises:
        SettingsError: there is none whose id begins so, or several.
    """
    is_id = re.fullmatch("[0-9a-f]{1,12}", incident_id) is not None
    matching = incidents(client, mode, incident_id=incident_id) if is_id else []
    if len(matching) != 1:
        problem = f"{len(matching)} incidents begin with {incident_id!r} in mode {mode}"
        raise SettingsError(f"{problem}: tickhouse incidents list")
    return matching[0]


def of_alert(home: Path, change: Change, mode: str, account: str, now_us: int) -> None:
    """Open or end the incident of a critical alert; others, and what is not real money, are none.

    A log that takes nothing is said in the watch's own log: alerts go on.
    """
    alert, rule = change.alert, change.alert.definition
    if mode != "live" or rule.severity != "critical" or change.kind == "fires still":
        return
    says = rule.says.format(value=alert.value)
    payload: dict[str, Any] = {"ended_us": now_us}
    if change.kind == "fired":
        payload = {"title": rule.title, "rule": rule.name, "began_us": alert.since_us}
        payload |= {"account": account, "about": alert.subject}
    line = AuditLine(
        ts_us=now_us, by=WATCH, authenticated=False, subject=id_of(rule.name, alert.subject,
        alert.since_us), action="incident opened" if change.kind == "fired" else "incident ended",
        detail=f"{rule.title}: {alert.subject}: {says}", payload=payload,
    )  # fmt: skip
    try:
        audit_log.append(home, line, mode=mode)
    except (InputError, BusyError, OSError) as error:
        _log.error("the register of incidents lacks %s: %s", line.detail, error)


def id_of(rule: str, subject: str, began_us: int) -> str:
    """Of what happens to one subject on one UTC day."""
    day = datetime.fromtimestamp(began_us / 1e6, UTC).date()
    return hashlib.sha256(f"{rule}|{subject}|{day}".encode()).hexdigest()[:12]


class Person(NamedTuple):
    """Who works on the register: `known` gave a password."""

    home: Path
    by: str
    known: bool
    clock: Clock


def opened(person: Person, mode: str, account: str, title: str, began: datetime) -> str:
    """A person opens one that no alert showed; its id.

    Raises:
        SettingsError: without a title, or of a time to come.
    """
    now_us, began_us = person.clock.now_us(), round(began.timestamp() * 1e6)
    if not title.strip() or began_us > now_us:
        raise SettingsError("--title TEXT is needed, and --began a time (UTC) that has come")
    incident_id = id_of("", title, began_us)
    payload = {
        "title": title, "rule": "", "began_us": began_us, "account": account, "about": account,
    }  # fmt: skip
    _append(person, mode, incident_id, "opened", title, "", payload)
    return incident_id


def classified(person: Person, case: Incident, impact: Impact, reason: str) -> bool:
    """Classify, also anew; whether it is major.

    Raises:
        SettingsError: it is closed, or without a reason.
    """
    _refuse_closed(case)
    _refuse_silence(reason)
    result = classify(impact)
    _append(
        person, case.mode, case.incident_id, "classified", case.title, reason,
        {"impact": asdict(impact), "major": result.major, "basis": list(result.basis)},
    )  # fmt: skip
    return result.major


def ended(person: Person, case: Incident, at: datetime) -> None:
    """What was disturbed works again.

    Raises:
        SettingsError: it is closed, or the time is before its beginning or to come.
    """
    _refuse_closed(case)
    at_us = round(at.timestamp() * 1e6)
    if not round(case.ts_began.timestamp() * 1e6) <= at_us <= person.clock.now_us():
        raise SettingsError(f"--at is a time (UTC) since {case.ts_began:%F %T} that has come")
    _append(person, case.mode, case.incident_id, "ended", case.title, "", {"ended_us": at_us})


def noted(person: Person, case: Incident, reason: str) -> None:
    """Keep what somebody found out.

    Raises:
        SettingsError: it is closed, or nothing is said.
    """
    _refuse_closed(case)
    _refuse_silence(reason)
    _append(person, case.mode, case.incident_id, "noted", case.title, reason, {})


def filed(person: Person, case: Incident, what: str, reference: str) -> None:
    """A notification or report went to the authority, by its own means.

    Raises:
        SettingsError: of no major incident, out of turn, or without its reference.
    """
    if what not in FILINGS or not reference.strip():
        raise SettingsError(f"what was filed is one of {', '.join(FILINGS)}, with --reference")
    if not case.major:
        raise SettingsError(f"incident {case.incident_id} is not classified as major")
    before = FILINGS[: FILINGS.index(what)]
    done = {"initial": case.ts_initial, "intermediate": case.ts_intermediate}
    missing = [name for name in before if not done[name].timestamp()]
    if missing:
        raise SettingsError(f"incident {case.incident_id}: {missing[0]} was not filed yet")
    payload = {"what": what, "reference": reference}
    _append(person, case.mode, case.incident_id, "filed", f"{what} {reference}", "", payload)


def closed(person: Person, case: Incident, cause: str) -> None:
    """Its cause is known and it is over.

    Raises:
        SettingsError: it goes on, is not classified, or a report is missing.
    """
    _refuse_closed(case)
    problem = ""
    if not case.ts_ended.timestamp():
        problem = "it goes on: tickhouse incidents end"
    elif case.status != "classified":
        problem = "nobody classified it"
    elif case.major and not case.ts_final.timestamp():
        problem = "its final report was not filed"
    elif not cause.strip():
        problem = "--reason TEXT is missing: its cause, and what is done against it"
    if problem:
        raise SettingsError(f"incident {case.incident_id}: {problem}")
    _append(person, case.mode, case.incident_id, "closed", case.title, cause, {})


def reopened(person: Person, case: Incident, reason: str) -> None:
    """A closing is taken back.

    Raises:
        SettingsError: it is not closed, or nothing is said.
    """
    if case.status != "closed":
        raise SettingsError(f"incident {case.incident_id} is not closed")
    _refuse_silence(reason)
    _append(person, case.mode, case.incident_id, "reopened", case.title, reason, {})


def _append(
    person: Person, mode: str, incident_id: str, what: str, detail: str, reason: str,
    payload: dict[str, Any],
) -> None:  # fmt: skip
    if not person.known:
        raise SettingsError(
            "only a person with a password works on the register: tickhouse users add NAME"
        )
    line = AuditLine(
        ts_us=person.clock.now_us(), by=person.by, authenticated=True, action=f"incident {what}",
        detail=detail, subject=incident_id, reason=reason, payload=payload,
    )  # fmt: skip
    audit_log.append(person.home, line, mode=mode)


def _refuse_closed(case: Incident) -> None:
    if case.status == "closed":
        raise SettingsError(
            f"incident {case.incident_id} was closed by {case.closed_by}:"
            f" tickhouse incidents reopen {case.incident_id}"
        )


def _refuse_silence(reason: str) -> None:
    if not reason.strip():
        raise SettingsError("--reason TEXT is missing: what is known")
