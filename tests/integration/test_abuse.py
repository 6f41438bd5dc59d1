"""Own orders watched for abuse: what is planted is found, clean days raise next to nothing.

Twenty clean days are looked at one by one, and eight days after them with one pattern planted each.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pypdfium2
import pytest

from audit.export import export
from core.clock import ManualClock
from core.contracts import codec
from core.errors import SettingsError
from core.sections import RunSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS
from reports.package import changed_files
from reports.tables import rows_of
from surveillance.abuse import cases, live, scan, scenarios, stor
from surveillance.abuse.patterns import FOLDS
from tests.support.abuse_days import DAY, PLANTED, Flow, clean, weekdays
from tests.support.memory_bus import MemoryBus
from tests.support.orders import at, store
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="golden")]
DAYS = list(weekdays(DAY, 20 + len(PLANTED)))
CLEAN, ABUSED = DAYS[:20], dict(zip(PLANTED, DAYS[20:], strict=True))
NOW = at(f"{DAYS[-1]} 23:59")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    server = migrated(tmp_path_factory.mktemp("abuse"))
    try:
        for day in CLEAN:
            store(server.settings, clean(day).numbered())
        for name, day in ABUSED.items():
            flow = clean(day)
            PLANTED[name](flow)
            store(server.settings, flow.numbered())
        yield server
    finally:
        server.stop()


def scanned(server: Warehouse, home: Path, day: date) -> dict[str, int]:
    return scan.scan(server.client, home, "live", day, NOW).alerts


def test_twenty_clean_days_raise_at_most_two_alerts_per_scenario(
    server: Warehouse, tmp_path: Path
) -> None:
    raised = Counter[str]()
    for day in CLEAN:
        raised.update(scanned(server, tmp_path, day))
    assert set(raised) == set(PLANTED) == set(scenarios.load(tmp_path))
    assert max(raised.values()) <= 2, raised


@pytest.mark.parametrize("name", PLANTED)
def test_planted_abuse_is_found_with_its_orders(
    server: Warehouse, tmp_path: Path, name: str
) -> None:
    day = ABUSED[name]
    counts = scanned(server, tmp_path, day)
    assert counts[name] >= 1, counts
    known = [case for case in cases.cases(server.client, "live") if case.report_date == day]
    ours = max((case for case in known if case.scenario == name), key=lambda case: case.score)
    assert ours.score >= 1
    assert ours.status == "open"
    assert ours.due == DAYS[DAYS.index(day) + 2] if day < DAYS[-2] else ours.due > day
    planted = clean(day)
    before = {event.order_id for event in planted.events}
    PLANTED[name](planted)
    suspicious = {event.order_id for event in planted.events} - before
    assert suspicious & set(ours.order_ids)


def test_looking_again_raises_nothing_twice_and_keeps_the_first_time(
    server: Warehouse, tmp_path: Path
) -> None:
    day = ABUSED["layering"]
    scanned(server, tmp_path, day)
    first = cases.cases(server.client, "live")
    scan.scan(server.client, tmp_path, "live", day, NOW + 3_600_000_000)
    assert cases.cases(server.client, "live") == first


def test_the_running_day_is_looked_at_as_it_stands(server: Warehouse) -> None:
    day = DAYS[-1].replace(year=2025)
    flow = Flow(day)
    PLANTED["layering"](flow)
    run = RunSettings("live", "live", "main", "trend", "")
    settings = Settings(home=str(server.home), clickhouse=server.settings, run=run)
    clock = ManualClock(at(f"{day} 10:00:10"))  # the orders still work
    store(server.settings, [e for e in flow.numbered() if e.ts_event_us < clock.now_us()])
    assert scan.scan_today(settings, clock).alerts["layering"] == 0
    store(server.settings, flow.numbered())
    clock.advance(at(f"{day} 10:05"))
    assert scan.scan_today(settings, clock).alerts["layering"] == 1


@pytest.mark.parametrize("name", FOLDS)
def test_the_stream_raises_at_the_event_what_the_night_finds(
    server: Warehouse, tmp_path: Path, name: str
) -> None:
    """Under one name, so that there is one case; a restart within the day doubles none."""
    day, bus = ABUSED[name], MemoryBus()
    flow = clean(day)
    PLANTED[name](flow)
    for event in [*flow.numbered(), *clean(day.replace(year=2030)).numbered()[:1]]:
        bus.publish(ORDER_EVENTS, event.account, codec.encode(event))
    run = RunSettings("live", "live", "main", "trend", "")
    settings = Settings(home=str(tmp_path), clickhouse=server.settings, run=run)
    server.client.command(f"ALTER TABLE abuse_alert DELETE WHERE report_date = '{day}'",
                          settings={"mutations_sync": 2})  # fmt: skip
    messages, stored = bus.topics[ORDER_EVENTS.name], 0
    for part in (messages[: len(messages) // 2], messages):
        # As after a restart; another time than the scans', for a warehouse drops a block twice.
        watch = live.OrderWatch(settings, ManualClock(NOW + 1))
        begins = watch.begins(bus)
        assert begins == 1
        for message in part:
            watch.note(message)
            stored += watch.store()
    by_stream = {case.alert_id: case for case in cases.cases(server.client, "live")
                 if case.report_date == day}  # fmt: skip
    assert len(by_stream) == stored
    scanned(server, tmp_path, day)
    by_night = {case.alert_id for case in cases.cases(server.client, "live")
                if case.report_date == day and case.scenario in FOLDS}  # fmt: skip
    assert by_night <= set(by_stream)
    assert name in {by_stream[alert_id].scenario for alert_id in by_night}
    assert live.OrderWatch(settings, ManualClock(NOW)).begins(bus) == len(messages)  # next day's


def test_what_another_mode_did_is_not_looked_at(server: Warehouse, tmp_path: Path) -> None:
    scanned = scan.scan(server.client, tmp_path, "demo", ABUSED["layering"], NOW)
    assert scanned.events == 0
    assert not any(scanned.alerts.values())


def work(server: Warehouse, home: Path, case: cases.Case, what: str, by: str, **more: str) -> None:
    """A step by a person with a password, brought over as `watch` does it."""
    settings = Settings(home=str(home), clickhouse=server.settings)
    cases.step(settings, case, what, by, True, ManualClock(NOW), **more)  # type: ignore[arg-type]
    export(server.client, server.settings, home)


def test_a_case_is_taken_noted_closed_and_opened_again(server: Warehouse) -> None:
    home = server.home
    scanned(server, home, ABUSED["layering"])

    def case() -> cases.Case:
        known = cases.cases(server.client, "live")
        return next(case for case in known if case.scenario == "layering")

    with pytest.raises(SettingsError, match="nobody's: take it first"):
        work(server, home, case(), "closed", "ann", reason="r", outcome="explained")
    work(server, home, case(), "taken", "ann")
    assert (case().status, case().analyst) == ("taken", "ann")
    with pytest.raises(SettingsError, match="is ann's already"):
        work(server, home, case(), "taken", "ann")
    with pytest.raises(SettingsError, match="is ann's: take it first"):
        work(server, home, case(), "closed", "bob", reason="r", outcome="explained")
    with pytest.raises(SettingsError, match="--reason TEXT"):
        work(server, home, case(), "noted", "bob")
    work(server, home, case(), "noted", "bob", reason="hedge of the other desk")
    assert case().notes == ["bob: hedge of the other desk"]
    with pytest.raises(SettingsError, match="one of false_positive, explained, reported"):
        work(server, home, case(), "closed", "ann", reason="r", outcome="fine")
    with pytest.raises(SettingsError, match="--reference"):
        work(server, home, case(), "closed", "ann", reason="r", outcome="reported")
    work(server, home, case(), "closed", "ann", reason="a hedge", outcome="false_positive")
    assert (case().status, case().outcome, case().reason) == ("closed", "false_positive", "a hedge")
    day = ABUSED["layering"]
    assert cases.outcomes(server.client, "live", day) == {"layering": (1, 1)}
    with pytest.raises(SettingsError, match="was closed by ann"):
        work(server, home, case(), "noted", "bob", reason="late")
    work(server, home, case(), "reopened", "bob", reason="there is more")
    assert (case().status, case().outcome) == ("taken", "")
    assert case().is_late(date(2026, 12, 31))
    assert not case().is_late(case().due)


def test_only_a_person_with_a_password_works_on_a_case(server: Warehouse, tmp_path: Path) -> None:
    scanned(server, tmp_path, ABUSED["spoofing"])
    (case, *_) = cases.cases(server.client, "live", closed=False)
    settings = Settings(home=str(tmp_path))
    with pytest.raises(SettingsError, match="with a password"):
        cases.step(settings, case, "taken", "eve", False, ManualClock(NOW))
    for wrong in ("nope", "", "\udce2", "0' OR 1"):
        with pytest.raises(SettingsError, match="0 cases begin with"):
            cases.case_of(server.client, "live", wrong)


def test_the_draft_of_a_report_says_what_is_known_and_what_is_to_fill_in(
    server: Warehouse, tmp_path: Path
) -> None:
    scanned(server, tmp_path, ABUSED["spoofing"])
    known = cases.cases(server.client, "live")
    case = next(case for case in known if case.scenario == "spoofing")
    settings = Settings(home=str(tmp_path), clickhouse=server.settings)
    version = stor.draft(settings, server.client, case, "ann", ManualClock(NOW))
    assert changed_files(version) == []
    orders = list(rows_of(version.folder / "orders.csv"))
    assert {row["order_id"] for row in orders} == set(case.order_ids)
    assert [row["kind"] for row in orders].count("cancelled") == len(case.order_ids) - 1
    said = msgspec.json.decode((version.folder / "stor.json").read_bytes(), type=stor.Stor)
    assert [title[0] for title in said.sections] == list("12345")
    fields = {field.name: field.value for part in said.sections.values() for field in part}
    assert fields["Date of birth"] == stor.TO_FILL
    assert fields["Description of the financial instrument"] == stor.TO_FILL  # nobody loaded it
    assert "20 lots taken back within 60 s" in fields["What raised the alert"]
    document = pypdfium2.PdfDocument(version.folder / "stor.pdf")
    words = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert "nothing was submitted" in words
    assert "TO BE FILLED IN" in words
    again = stor.draft(settings, server.client, case, "ann", ManualClock(NOW))
    assert again.folder == version.folder, "the same draft is no new version"
