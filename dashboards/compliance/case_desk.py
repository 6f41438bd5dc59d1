"""Works on cases as the commands do: the same functions, under the name of who is signed in.

A step is judged by the audit trail of now: what was written is brought into the warehouse before
and after, by the user that the commands are, so that two people who decide at once do not both.
"""

import contextlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client
from audit.export import export
from audit.privacy import cases as privacy
from core import home_users
from core.clock import Clock
from core.errors import SettingsError, TickhouseError, UnavailableError, WarehouseError
from core.settings import Settings
from dashboards.compliance import case_list
from dashboards.compliance.case_list import CaseView, Kind
from dashboards.compliance.questions import Warehouse
from surveillance.abuse import cases as abuse
from surveillance.incidents import register
from surveillance.incidents.classes import Impact
from surveillance.incidents.register import Person

_ABUSE_STEPS: tuple[abuse.Step, ...] = get_args(abuse.Step)


class CaseStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody does about a case."""

    kind: Kind
    case_id: str
    step: Literal["taken", "noted", "closed", "reopened", "classified", "ended", "filed"]
    mode: str = "live"
    reason: str = ""
    outcome: str = ""
    reference: str = ""
    what: str = ""
    impact: dict[str, bool | int | float] = {}


class CaseDesk:
    """Lists cases, shows one, takes a step. Blocking: disk and warehouse."""

    def __init__(self, settings: Settings, warehouse: Warehouse, clock: Clock) -> None:
        self._settings, self._warehouse, self._clock = settings, warehouse, clock

    def listed(self, mode: str, *, closed: bool) -> dict[str, Any]:
        """All kinds, late ones first; without the warehouse requests alone, and why."""
        now, problem = self._now(), ""
        rows = case_list.rows_of_privacy(self._settings, closed, now)
        try:
            rows += self._warehouse.ask(
                lambda one: case_list.rows_of_warehouse(one, mode, closed, now)
            )
        except TickhouseError as error:
            problem = f"Cases of market abuse and incidents are missing: {error}"
        rows.sort(key=lambda row: row.opened, reverse=True)
        rows.sort(key=lambda row: (row.status == "closed", not row.late))
        return {"mode": mode, "cases": rows, "problem": problem}

    def view(self, kind: str, case_id: str, mode: str, who: str) -> dict[str, Any]:
        """One case, and what its forms offer.

        Raises:
            SettingsError: there is none.
            UnavailableError, WarehouseError: of a kind that is kept there.
        """
        return {
            "case": self._view(kind, case_id, mode, who), "mode": mode,
            "outcomes": abuse.OUTCOMES, "filings": register.FILINGS,
            "impact": case_list.impact_fields(),
        }  # fmt: skip

    def step(self, by: str, body: CaseStep) -> dict[str, str]:
        """Do it; on disk when this returns.

        Raises:
            SettingsError: not now, not by them, or without what it needs.
            UnavailableError, WarehouseError: the warehouse is away; nothing was done.
        """
        if body.kind == "privacy":
            self._privacy_step(by, body)
        else:
            with self._brought_over() as one:
                does = self._abuse_step if body.kind == "abuse" else self._incident_step
                does(one, by, body)
        return {"by": by}

    def _view(self, kind: str, case_id: str, mode: str, who: str) -> CaseView:
        now = self._now()
        if kind == "privacy":
            request = privacy.named(self._settings.home_path, case_id)
            return case_list.privacy_view(request, who, now)
        if kind == "abuse":
            case = self._warehouse.ask(lambda one: abuse.case_of(one, mode, case_id))
            return case_list.abuse_view(case, who, now)
        if kind == "incident":
            incident = self._warehouse.ask(lambda one: register.incident_of(one, mode, case_id))
            return case_list.incident_view(incident, now)
        raise SettingsError("no such kind of case")

    def _privacy_step(self, by: str, body: CaseStep) -> None:
        case = privacy.named(self._settings.home_path, body.case_id)
        if body.step != "noted" or not body.reason.strip():
            raise SettingsError("of a request the page keeps notes; a command exports or erases")
        privacy.step(self._settings, case, "noted", by, body.reason, True, self._clock)

    def _abuse_step(self, one: Client, by: str, body: CaseStep) -> None:
        case = abuse.case_of(one, body.mode, body.case_id)
        what = next((step for step in _ABUSE_STEPS if step == body.step), None)
        if what is None:
            raise SettingsError(f"a case of market abuse is not {body.step}")
        abuse.step(
            self._settings, case, what, by, True, self._clock, reason=body.reason.strip(),
            outcome=body.outcome, reference=body.reference.strip(),
        )  # fmt: skip

    def _incident_step(self, one: Client, by: str, body: CaseStep) -> None:
        case = register.incident_of(one, body.mode, body.case_id)
        person = Person(self._settings.home_path, by, True, self._clock)
        match body.step:
            case "noted":
                register.noted(person, case, body.reason)
            case "classified":
                register.classified(person, case, _impact(body), body.reason)
            case "ended":
                _refuse_ended(case)
                register.ended(person, case, self._now())
            case "filed":
                register.filed(person, case, body.what, body.reference)
            case "closed":
                register.closed(person, case, body.reason)
            case "reopened":
                register.reopened(person, case, body.reason)
            case "taken":
                raise SettingsError("an incident is nobody's own: note, classify or close it")

    @contextlib.contextmanager
    def _brought_over(self) -> Iterator[Client]:
        where = home_users.sign_in(self._settings.clickhouse, home_users.COMMANDS)
        with closing(client.connect(where)) as one:
            export(one, where, self._settings.home_path)
            yield one
            # What was done is on disk; `watch` brings over what this cannot.
            with contextlib.suppress(UnavailableError, WarehouseError):
                export(one, where, self._settings.home_path)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)


def _impact(body: CaseStep) -> Impact:
    try:
        return msgspec.convert(body.impact, Impact)
    except msgspec.ValidationError as error:
        raise SettingsError(f"the impact: {error}") from error


def _refuse_ended(case: register.Incident) -> None:
    if case.ts_ended.timestamp():
        raise SettingsError(f"incident {case.incident_id} is over since {case.ts_ended:%F %T}")
