"""Cases of three kinds as one list: market abuse, incidents, requests of people about their data.

Each is what its own register says; here it is only put into one shape, with what may be done next.
"""

from datetime import UTC, date, datetime
from typing import Literal, get_args

import msgspec
from clickhouse_connect.driver.client import Client

from audit.privacy import cases as privacy
from core.settings import Settings
from surveillance.abuse import cases as abuse
from surveillance.incidents import register
from surveillance.incidents.classes import Impact
from surveillance.incidents.register import FILINGS, Incident

Kind = Literal["abuse", "incident", "privacy"]
Pairs = tuple[tuple[str, str], ...]
_ORDERS = 200


class Step(msgspec.Struct, frozen=True):
    """What may be done next, and what it needs: reason, outcome, reference, what, impact."""

    name: str
    label: str
    needs: tuple[str, ...] = ()


class CaseRow(msgspec.Struct, frozen=True):
    """A case in the list. Times UTC; "" while there is none."""

    kind: Kind
    case_id: str
    title: str
    opened: str
    due: str  # of the next time limit, with what it asks for
    late: bool
    analyst: str
    status: str
    outcome: str


class CaseView(msgspec.Struct, frozen=True):
    """A case by itself. `commands`: what the page does not do."""

    row: CaseRow
    facts: Pairs
    notes: tuple[str, ...]
    orders: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    commands: tuple[str, ...] = ()


class ImpactField(msgspec.Struct, frozen=True):
    """A criterion of a classification, for a form."""

    name: str
    says: str
    is_flag: bool


def impact_fields() -> list[ImpactField]:
    """All criteria, from the fields of `Impact`."""
    listed = []
    for field in msgspec.structs.fields(Impact):
        kind, meta = get_args(field.type)
        listed.append(ImpactField(field.name, str(meta.description), kind is bool))
    return listed


def rows_of_warehouse(client: Client, mode: str, closed: bool, now: datetime) -> list[CaseRow]:
    """Cases of market abuse and incidents."""
    own = abuse.cases(client, mode, closed=closed)
    incidents = register.incidents(client, mode, closed=closed)
    return [
        *(_abuse_row(one, now.date()) for one in own),
        *(_incident_row(one, now) for one in incidents),
    ]


def rows_of_privacy(settings: Settings, closed: bool, now: datetime) -> list[CaseRow]:
    """Requests; they are of no world."""
    known = privacy.cases(settings.home_path).values()
    return [_privacy_row(one, now.date()) for one in known if closed or one.status == "open"]


def abuse_view(one: abuse.Case, who: str, now: datetime) -> CaseView:
    """A case of market abuse, for somebody."""
    facts = (
        ("What was seen", one.detail), ("Instrument", f"{one.source} {one.symbol}"),
        ("Accounts", ", ".join(one.accounts)), ("Strategies", ", ".join(one.strategies)),
        ("From, to (UTC)", f"{one.ts_from:%F %T} to {one.ts_to:%T}"),
        ("Score", f"{one.score:.2f} (1 is the scenario's limit)"),
        ("Scenario", f"{one.scenario}, version {one.version}"), ("Why it was closed", one.reason),
        ("Reference of what was filed", one.reference),
    )  # fmt: skip
    if one.status == "closed":
        steps: tuple[Step, ...] = (Step("reopened", "Reopen", ("reason",)),)
    else:
        mine = one.analyst == who
        first = Step("closed", "Close", ("outcome", "reason", "reference"))
        steps = (
            first if mine else Step("taken", "Make it mine"), Step("noted", "Note", ("reason",)),
        )  # fmt: skip
    draft = f"tickhouse abuse stor {one.alert_id} --mode {one.mode} --by {who}"
    orders = tuple(one.order_ids[:_ORDERS])
    row = _abuse_row(one, now.date())
    return CaseView(row, facts, tuple(one.notes), orders, steps, (draft,))


def incident_view(one: Incident, now: datetime) -> CaseView:
    """An incident."""
    facts = (
        ("About", one.subject), ("Account", one.account), ("Rule", one.rule),
        ("Began (UTC)", _time(one.ts_began)), ("Known since (UTC)", _time(one.ts_aware)),
        ("Ended (UTC)", _time(one.ts_ended) or "goes on"), ("Alerts", str(one.alerts)),
        ("Class", _class(one)), ("Meets", "; ".join(one.basis)), ("Filed", "; ".join(one.filed)),
        ("Cause", one.cause),
    )  # fmt: skip
    return CaseView(_incident_row(one, now), facts, tuple(one.notes), steps=_incident_steps(one))


def privacy_view(one: privacy.Case, who: str, now: datetime) -> CaseView:
    """A request; the vault is opened by command alone."""
    steps: tuple[Step, ...] = ()
    commands: tuple[str, ...] = ()
    if one.status == "open":
        does = "export" if one.kind == "access" else "erase"
        out = " --out DIR" if one.kind == "access" else ""
        steps = (Step("noted", "Note", ("reason",)),)
        commands = (f"tickhouse privacy {does} {one.name}{out} --by {who} --reason TEXT",)
    facts = (("Asks for", one.kind), ("Who", one.pseudonym), ("Opened by", one.by),
             ("Basis", one.basis))  # fmt: skip
    row = _privacy_row(one, now.date())
    return CaseView(row, facts, one.notes, steps=steps, commands=commands)


def _abuse_row(one: abuse.Case, today: date) -> CaseRow:
    return CaseRow(
        kind="abuse", case_id=one.alert_id, title=f"{one.scenario}, {one.symbol}",
        opened=str(one.report_date), due=str(one.due) if one.status != "closed" else "",
        late=one.is_late(today), analyst=one.analyst, status=one.status, outcome=one.outcome,
    )  # fmt: skip


def _incident_row(one: Incident, now: datetime) -> CaseRow:
    due = f"{one.due_step} by {one.ts_due:%F %H:%M}" if one.due_step else ""
    return CaseRow(
        kind="incident", case_id=one.incident_id, title=f"{one.title}: {one.subject}",
        opened=_time(one.ts_aware), due=due, late=one.is_late(now),
        analyst=one.closed_by or one.classified_by, status=one.status,
        outcome=_class(one) if one.classified_by else "",
    )  # fmt: skip


def _privacy_row(one: privacy.Case, today: date) -> CaseRow:
    is_open = one.status == "open"
    return CaseRow(
        kind="privacy", case_id=one.name, title=f"{one.kind} for {one.pseudonym}",
        opened=str(one.opened), due=str(one.due) if is_open else "", late=one.is_late(today),
        analyst=one.by, status="open" if is_open else "closed",
        outcome="" if is_open else one.status,
    )  # fmt: skip


def _incident_steps(one: Incident) -> tuple[Step, ...]:
    if one.status == "closed":
        return (Step("reopened", "Reopen", ("reason",)),)
    steps = [
        Step("noted", "Note", ("reason",)),
        Step("classified", "Classify", ("impact", "reason")),
    ]
    if not one.ts_ended.timestamp():
        steps.append(Step("ended", "It is over now"))
    if one.major and one.due_step in FILINGS:
        steps.append(Step("filed", f"The {one.due_step} report went out", ("what", "reference")))
    steps.append(Step("closed", "Close", ("reason",)))
    return tuple(steps)


def _class(one: Incident) -> str:
    return (
        f"{'major' if one.major else 'not major'}, by {one.classified_by}"
        if one.classified_by
        else "nobody classified it"
    )


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%F %H:%M}" if at.timestamp() else ""
