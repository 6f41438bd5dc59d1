"""The register of incidents: alerts open them, people classify, file and close, clocks run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.export import export
from core.clock import ManualClock
from core.errors import SettingsError
from surveillance.firing import Change, StandingAlert
from surveillance.incidents import register
from surveillance.incidents.classes import Impact
from surveillance.incidents.register import Incident, Person
from tests.support.orders import at
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.process
BEGAN = at("2026-03-02 09:30")
MAJOR = Impact(critical_service=True, downtime_h=3.0, costs_eur=2e5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    server = migrated(tmp_path_factory.mktemp("incidents"))
    try:
        yield server
    finally:
        server.stop()


class Office:
    """A home whose register is folded by a warehouse, and somebody who works on it."""

    def __init__(self, server: Warehouse, home: Path) -> None:
        self.server, self.home, self.clock = server, home, ManualClock(BEGAN)
        self.ann = Person(home, "ann", True, self.clock)

    def fires(self, kind: str, rule: str = "process_down", *, mode: str = "live") -> None:
        alert = StandingAlert(rule, self.home.name, 61.0, 60.0, BEGAN, BEGAN)
        change = Change(kind, alert, False)
        register.of_alert(self.home, change, mode, "acc", self.clock.now_us())

    def the_one(self, home_rule: str = "process_down") -> Incident:
        export(self.server.client, self.server.settings, self.home)
        return register.incident_of(
            self.server.client, "live", register.id_of(home_rule, self.home.name, BEGAN)
        )

    def later(self, hours: float) -> None:
        self.clock.advance(self.clock.now_us() + int(hours * 3.6e9))


@pytest.fixture
def office(server: Warehouse, tmp_path: Path) -> Iterator[Office]:
    yield Office(server, tmp_path)
    server.client.command("TRUNCATE TABLE audit_event")


def hours(since: datetime, until: datetime) -> float:
    return (until - since) / timedelta(hours=1)


def test_a_critical_alert_opens_one_and_its_end_ends_it(office: Office) -> None:
    office.fires("fired")
    one = office.the_one()
    assert (one.title, one.subject, one.account) == ("Process down", office.home.name, "acc")
    assert (one.status, one.due_step, hours(one.ts_aware, one.ts_due)) == (
        "open", "classification", 24.0,
    )  # fmt: skip
    assert not one.ts_ended.timestamp()
    office.later(1)
    office.fires("resolved")
    assert hours(one.ts_began, office.the_one().ts_ended) == 1.0
    office.fires("fired")  # the same day again: it goes on
    again = office.the_one()
    assert (again.alerts, again.ts_ended.timestamp(), again.ts_aware) == (2, 0.0, one.ts_aware)


def test_what_is_not_critical_or_not_real_money_opens_nothing(office: Office) -> None:
    office.fires("fired", "abuse_case")
    office.fires("fired", mode="demo")
    office.fires("fires still")
    assert not (office.home / "audit.log").exists()


def test_a_major_one_runs_through_its_time_limits(office: Office) -> None:
    office.fires("fired")
    office.later(2)
    assert register.classified(office.ann, office.the_one(), MAJOR, "the gateway is down")
    one = office.the_one()
    assert (one.major, one.due_step, hours(one.ts_aware, one.ts_due)) == (True, "initial", 6.0)
    assert list(one.basis)[1:] == ["duration or downtime (9(3))", "costs (9(6))"]
    with pytest.raises(SettingsError, match="initial was not filed"):
        register.filed(office.ann, one, "final", "R")
    for what, after, due, limit in (("initial", 1, "intermediate", 72.0),
                                    ("intermediate", 50, "final", 31 * 24.0)):  # fmt: skip
        office.later(after)
        filed_us = office.clock.now_us()
        register.filed(office.ann, office.the_one(), what, f"R-{what}")
        one = office.the_one()
        filed = datetime.fromtimestamp(filed_us / 1e6, UTC)
        assert (one.due_step, hours(filed, one.ts_due)) == (due, limit)
    with pytest.raises(SettingsError, match="it goes on"):
        register.closed(office.ann, office.the_one(), "a switch")
    register.ended(office.ann, office.the_one(), datetime.fromtimestamp(BEGAN / 1e6, UTC))
    with pytest.raises(SettingsError, match="final report"):
        register.closed(office.ann, office.the_one(), "a switch")
    register.filed(office.ann, office.the_one(), "final", "R-final")
    register.closed(office.ann, office.the_one(), "a switch")
    one = office.the_one()
    assert (one.status, one.due_step, one.cause, one.closed_by) == ("closed", "", "a switch", "ann")
    assert list(one.filed) == [f"{w} R-{w} by ann" for w in register.FILINGS]
    with pytest.raises(SettingsError, match="was closed by ann"):
        register.noted(office.ann, one, "more")
    register.reopened(office.ann, one, "it came again")
    assert office.the_one().status == "classified"


def test_one_classified_after_a_day_has_four_hours_from_then(office: Office) -> None:
    office.fires("fired")
    office.later(30)
    one = office.the_one()
    assert one.is_late(datetime.fromtimestamp(office.clock.now_us() / 1e6, UTC))
    register.classified(office.ann, one, MAJOR, "late")
    assert hours(one.ts_aware, office.the_one().ts_due) == 34.0
    assert not register.classified(office.ann, office.the_one(), Impact(), "it was a drill")
    one = office.the_one()
    assert (one.major, one.due_step, one.status) == (False, "", "classified")


def test_a_person_opens_one_and_strangers_do_nothing(office: Office) -> None:
    began = datetime.fromtimestamp(BEGAN / 1e6, UTC)
    opened = register.opened(office.ann, "live", "acc", "the line is cut", began)
    export(office.server.client, office.server.settings, office.home)
    one = register.incident_of(office.server.client, "live", opened[:6])
    assert (one.title, one.rule, one.due_step) == ("the line is cut", "", "classification")
    nobody = office.ann._replace(by="eve", known=False)
    with pytest.raises(SettingsError, match="a person with a password"):
        register.noted(nobody, one, "hm")
    with pytest.raises(SettingsError, match="a time \\(UTC\\) that has come"):
        register.opened(office.ann, "live", "acc", "tomorrow", began + timedelta(days=1))
    with pytest.raises(SettingsError, match="0 incidents begin with"):
        register.incident_of(office.server.client, "live", "x'; DROP")


def test_a_log_that_takes_nothing_stops_no_alert(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (office.home / "audit.log").mkdir()
    office.fires("fired")
    assert "the register of incidents lacks Process down" in caplog.text
