"""Cases: what people decide about alerts of market abuse, one chained audit event a step.

An alert is a case from the moment it is raised, under the alert's id. Nothing is kept beside the
audit trail: the view `abuse_case` folds it. An outcome is not changed but by reopening.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, get_args

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings

Outcome = Literal["false_positive", "explained", "reported"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
Step = Literal["taken", "noted", "closed", "reopened"]


class Case(NamedTuple):
    """An alert and how far it is; the columns of the view `abuse_case`."""

    alert_id: str
    mode: str
    report_date: date
    scenario: str
    version: str
    source: str
    symbol: str
    accounts: Sequence[str]
    strategies: Sequence[str]
    ts_from: datetime
    ts_to: datetime
    score: float
    detail: str
    order_ids: Sequence[str]
    due: date
    ts_init: datetime
    status: str  # open, taken or closed
    analyst: str
    outcome: str  # "" while it is not closed
    reason: str  # of the closing
    reference: str  # of the report that was filed
    ts_closed: datetime
    notes: Sequence[str]

    def is_late(self, today: date) -> bool:
        """Whether nobody decided in time."""
        return self.status != "closed" and today > self.due


def cases(client: Client, mode: str, *, alert_id: str = "", closed: bool = True) -> list[Case]:
    """Cases of a mode, the newest first.

    Args:
        alert_id: how its id begins; "": all.
        closed: closed ones, too.
    """
    columns = ", ".join(f"`{name}`" for name in Case._fields)
    with errors_translated():
        rows = client.query(
            f"SELECT {columns} FROM abuse_case WHERE mode = {{mode:String}}"
            " AND startsWith(alert_id, {begins:String}) AND ({closed:Bool} OR status != 'closed')"
            " ORDER BY report_date DESC, score DESC, alert_id",
            parameters={"mode": mode, "begins": alert_id, "closed": closed},
        ).result_rows
    return [Case(*row) for row in rows]


def case_of(client: Client, mode: str, alert_id: str) -> Case:
    """One case.

    Raises:
        SettingsError: there is none whose id begins so, or several.
    """
    is_id = re.fullmatch("[0-9a-f]{1,16}", alert_id) is not None
    matching = cases(client, mode, alert_id=alert_id) if is_id else []
    if len(matching) != 1:
        problem = f"{len(matching)} cases begin with {alert_id!r} in mode {mode}"
        raise SettingsError(f"{problem}: tickhouse abuse list")
    return matching[0]


def outcomes(client: Client, mode: str, since: date) -> dict[str, tuple[int, int]]:
    """By scenario: closed cases of days since then, and how many were false positives."""
    with errors_translated():
        rows = client.query(
            "SELECT scenario, count(), countIf(outcome = 'false_positive') FROM abuse_case"
            " WHERE mode = {mode:String} AND report_date >= {since:Date} AND status = 'closed'"
            " GROUP BY scenario",
            parameters={"mode": mode, "since": since},
        ).result_rows
    return {str(name): (int(closed), int(false)) for name, closed, false in rows}


def step(
    settings: Settings, case: Case, what: Step, by: str, known: bool, clock: Clock, *,
    reason: str = "", outcome: str = "", reference: str = "",
) -> None:  # fmt: skip
    """Note what a person did about a case; on disk when this returns.

    Raises:
        SettingsError: not now, not by them, or without what it needs.
    """
    if problem := _problem(case, what, by, known, reason, outcome, reference):
        raise SettingsError(f"case {case.alert_id}: {problem}")
    payload: dict[str, Any] = {"scenario": case.scenario}
    if what == "closed":
        payload |= {"outcome": outcome, "reference": reference}
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=f"case {what}",
        detail=f"{case.scenario} {case.report_date}: {case.detail}", subject=case.alert_id,
        reason=reason, payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line, mode=case.mode)


def _problem(
    case: Case, what: Step, by: str, known: bool, reason: str, outcome: str, reference: str
) -> str:
    if not known:
        return "only a person with a password works on it: tickhouse users add NAME"
    if what == "reopened":
        return "" if case.status == "closed" and reason else "only a closed one, with --reason"
    if case.status == "closed":
        return f"was closed by {case.analyst}: tickhouse abuse reopen {case.alert_id}"
    if what == "taken":
        return f"is {by}'s already" if case.analyst == by else ""
    if not reason:
        return "--reason TEXT is missing: what you found"
    return _closing_problem(case, by, outcome, reference) if what == "closed" else ""


def _closing_problem(case: Case, by: str, outcome: str, reference: str) -> str:
    if case.analyst != by:
        return f"is {case.analyst or 'nobody'}'s: take it first"
    if outcome not in OUTCOMES:
        return f"--outcome is one of {', '.join(OUTCOMES)}"
    if (outcome == "reported") != bool(reference):
        return "--reference is the authority's for the report that was filed, of that outcome alone"
    return ""
