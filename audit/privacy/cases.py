"""Requests of people about their data as cases: each step a chained event, under the case's name.

Nothing is kept beside the audit trail. Due within one month of the request (Regulation (EU)
2016/679, article 12(3)); an outcome is not changed.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from core import audit_log, pseudonyms
from core.audit_log import AuditLine
from core.clock import Clock
from core.contracts.audit import AuditEvent
from core.errors import SettingsError
from core.settings import Settings

Kind = Literal["access", "erasure"]
Step = Literal["opened", "noted", "exported", "erased", "refused"]
_DONE = {"exported": "access", "erased": "erasure", "refused": "erasure"}
_MONTH = timedelta(days=30)  # of a month, the least but February
LINKED = "identity linked"


class Case(NamedTuple):
    """A request and how far it is."""

    name: str
    kind: Kind
    pseudonym: str
    opened: date
    by: str  # who opened it
    status: str  # open, exported, erased or refused
    basis: str  # of a refusal, or what an erasure rests on
    notes: tuple[str, ...] = ()

    @property
    def due(self) -> date:
        """By when the person has to have an answer."""
        return self.opened + _MONTH

    def is_late(self, today: date) -> bool:
        """Whether nobody answered in time."""
        return self.status == "open" and today > self.due


def cases(home: Path) -> dict[str, Case]:
    """Every case by name, the first first.

    Raises:
        InputError: the audit log is damaged.
    """
    return fold(audit_log.read(audit_log.path_in(home)))


def fold(events: Iterable[AuditEvent]) -> dict[str, Case]:
    """What events say."""
    known = dict[str, Case]()
    for event in events:
        word, _, step = event.action.partition(" ")
        if word != "privacy":
            continue
        said = msgspec.json.decode(event.detail)
        if step == "opened":
            opened = datetime.fromtimestamp(event.ts_event_us / 1e6, UTC).date()
            known[event.subject] = Case(
                event.subject, said["kind"], said["pseudonym"], opened, event.actor, "open", ""
            )
        elif event.subject in known:
            known[event.subject] = _after(known[event.subject], step, event, said)
    return known


def accounts_of(home: Path, pseudonym: str) -> tuple[str, ...]:
    """Accounts that somebody was linked with, as owner or decision maker."""
    linked = [
        msgspec.json.decode(event.detail)["account"]
        for event in audit_log.read(audit_log.path_in(home))
        if event.action == LINKED and event.subject == pseudonym
    ]
    return tuple(dict.fromkeys(linked))


def link(
    settings: Settings, pseudonym: str, account: str, by: str, reason: str, known: bool,
    clock: Clock,
) -> None:  # fmt: skip
    """Note that an account is somebody's.

    Raises:
        SettingsError: no pseudonym.
    """
    if not pseudonyms.is_pseudonym(pseudonym):
        raise SettingsError("an account is linked with a pseudonym, as p-...")
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=LINKED,
        detail=f"account {account}", subject=pseudonym, reason=reason,
        payload={"account": account},
    )  # fmt: skip
    audit_log.append(settings.home_path, line)


def open_case(
    settings: Settings, kind: Kind, pseudonym: str, by: str, reason: str, known: bool, clock: Clock
) -> Case:
    """A request has come."""
    name = f"request-{secrets.token_hex(4)}"
    payload = {"kind": kind, "pseudonym": pseudonym}
    _note(
        settings=settings, what="opened", name=name, by=by, reason=reason, known=known,
        payload=payload, clock=clock,
    )  # fmt: skip
    return cases(settings.home_path)[name]


def step(
    settings: Settings, case: Case, what: Step, by: str, reason: str, known: bool, clock: Clock,
    basis: str = "",
) -> None:  # fmt: skip
    """Note what was done about a case.

    Raises:
        SettingsError: it is done, or is none of that kind.
    """
    check_open(case, what)
    _note(
        settings=settings, what=what, name=case.name, by=by, reason=reason, known=known,
        payload={"basis": basis}, clock=clock,
    )  # fmt: skip


def check_open(case: Case, what: Step) -> None:
    """Whether a step is possible now.

    Raises:
        SettingsError: it is not.
    """
    if case.status != "open":
        raise SettingsError(f"case {case.name} was {case.status} already")
    if _DONE.get(what, case.kind) != case.kind:
        raise SettingsError(f"case {case.name} asks for {case.kind}")


def named(home: Path, name: str) -> Case:
    """One case.

    Raises:
        SettingsError: there is none of that name.
    """
    known = cases(home)
    if name not in known:
        raise SettingsError(f"no case {name!r}; there are: {', '.join(known) or 'none'}")
    return known[name]


def _after(case: Case, step: str, event: AuditEvent, said: dict[str, Any]) -> Case:
    if step == "noted":
        return case._replace(notes=(*case.notes, f"{event.actor}: {event.reason}"))
    return case._replace(status=step, basis=str(said.get("basis", "")))


def _note(
    settings: Settings, what: Step, name: str, by: str, reason: str, known: bool,
    payload: dict[str, Any], clock: Clock,
) -> None:  # fmt: skip
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=f"privacy {what}",
        detail=name, subject=name, reason=reason, payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line)
