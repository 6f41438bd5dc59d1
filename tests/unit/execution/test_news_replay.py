"""Events of the calendar in a replay: entries wait, positions are closed, and surprises count."""

from pathlib import Path

from core import calendar
from core.calendar import CalendarContent, CalendarEvent, Coverage
from core.contracts.order import EventKind
from execution.journal import journal
from tests.support import replays
from tests.support.markets import TUESDAY
from tests.unit.execution.test_firm_replay import records, run

MINUTE = 60_000_000
BEGIN = TUESDAY * 1000
EVENT = BEGIN + 6 * MINUTE
LIMITS = """version = "t"
[limits]
max_orders_per_minute = 12.0
[news.rate]
currencies = ["USD"]
before_min = 1
after_min = 2
action = "{action}"
"""


def prepared(home: Path, *events: CalendarEvent, until_us: int = BEGIN + 100 * MINUTE) -> Path:
    home.mkdir()
    covered = Coverage("c", BEGIN - 100 * MINUTE, until_us, BEGIN - 100 * MINUTE)
    calendar.save(calendar.path_in(home), CalendarContent(list(events), [covered]))
    return home


def event(published_us: int, at_us: int) -> CalendarEvent:
    return CalendarEvent("c", "1", published_us, at_us, "USD", "high", "Rate decision")


def test_positions_are_closed_before_an_event_and_nothing_opens_around_it(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", event(0, EVENT))
    run(home, LIMITS.format(action="flatten"))
    events = list(journal.events(home / "journal"))
    closed = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "news"]
    assert closed
    assert {e.ts_init_us for e in closed} == {EVENT - MINUTE}
    denied = [e for e in events if e.kind is EventKind.DENIED and e.reason == "news"]
    assert denied
    for e in denied:
        assert -1.0 <= e.observed <= 2.0
        assert e.limit == (-1.0 if e.observed < 0 else 2.0)
    inside = range(EVENT - MINUTE, EVENT + 2 * MINUTE + 1)
    entries = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "entry"]
    assert not any(e.ts_init_us in inside for e in entries)
    assert any(e.ts_init_us > inside[-1] for e in entries)


def test_an_event_that_nobody_had_published_is_no_event_yet(tmp_path: Path) -> None:
    surprise = EVENT - MINUTE // 4
    home = prepared(tmp_path / "a", event(surprise, EVENT))
    run(home, LIMITS.format(action="flatten"))
    events = list(journal.events(home / "journal"))
    closed = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "news"]
    assert {e.ts_init_us for e in closed} == {surprise}
    denied = [e.ts_init_us for e in events if e.reason == "news"]
    assert min(denied) >= surprise


def test_entries_are_smaller_where_a_rule_says_so(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", event(0, EVENT))
    run(home, LIMITS.format(action="reduce") + "keep_share = 0.5\n")
    entries = [
        e
        for e in journal.events(home / "journal")
        if e.kind is EventKind.SUBMITTED and e.purpose == "entry"
    ]
    inside = range(EVENT - MINUTE, EVENT + 2 * MINUTE + 1)
    near = [e.volume for e in entries if e.ts_init_us in inside]
    far = [e.volume for e in entries if e.ts_init_us not in inside]
    assert near
    assert max(near) <= replays.SETTINGS.execution.lots / 2 < max(far)


def test_a_calendar_that_ends_too_soon_lets_nothing_open(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", event(0, EVENT), until_us=BEGIN + 4 * MINUTE)
    run(home, LIMITS.format(action="deny"))
    events = list(journal.events(home / "journal"))
    late = BEGIN + 2 * MINUTE
    assert any(e.reason == "no_calendar" and e.ts_init_us >= late for e in events)
    entries = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "entry"]
    assert all(e.ts_init_us < late for e in entries)


def test_a_firm_that_is_only_watched_names_the_entry_that_came_too_near(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", event(0, EVENT))
    rules = (
        'version = "t"\n[limits]\nmax_orders_per_minute = 12.0\n[accounts.replay-r1]\nfirm = "f"\n'
        "[firms.f]\ndated = 2026-11-01\nnews_before_min = 1\nnews_after_min = 2\nenforce = false\n"
    )
    run(home, rules)
    inside = range(EVENT - MINUTE, EVENT + 2 * MINUTE + 1)
    entries = [
        e.ts_event_us
        for e in journal.events(home / "journal")
        if e.kind is EventKind.FILLED and e.purpose == "entry" and e.ts_event_us in inside
    ]
    [broken] = records(home)[-1].state.broken
    assert (broken.rule, broken.ts_us) == ("news", min(entries))
    assert broken.observed == (broken.ts_us - EVENT) / MINUTE
