"""Market abuse event by event: a case at the event that completes it, once, of its day alone."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.contracts.order import OrderEvent
from surveillance.abuse import patterns, scenarios
from surveillance.abuse.patterns import FOLDS, Usual
from surveillance.abuse.scenarios import Scenario
from surveillance.abuse.stream import Case, Stream
from tests.support.abuse_days import DAY, PARTIES, PLANTED, SYMBOLS, Flow, clean

RULES = scenarios.load(Path("/nowhere"))
#: As the generator's clean days have it: between half a lot and two, from 7 to 21 h UTC.
USUAL = Usual(
    {(*party, "oanda", symbol): 1.25 for party in PARTIES for symbol in SYMBOLS},
    {party: frozenset(range(7, 22)) for party in PARTIES},
)


def stream(rules: Mapping[str, Scenario] = RULES, usual: Usual = USUAL) -> Stream:
    return Stream(lambda _: (rules, usual), "live")


def cases(events: Iterable[OrderEvent], into: Stream | None = None) -> list[Case]:
    into = into or stream()
    return [case for event in events for case in into.note(event)]


def planted(name: str, day: date = DAY) -> list[OrderEvent]:
    flow = Flow(day)
    PLANTED[name](flow)
    return flow.numbered()


@pytest.mark.parametrize("name", FOLDS)
def test_a_planted_pattern_is_a_case_of_its_orders(name: str) -> None:
    flow = clean(DAY)
    before = {event.order_id for event in flow.events}
    PLANTED[name](flow)
    suspicious = {event.order_id for event in flow.events} - before
    ours = [case for case in cases(flow.numbered()) if case.pattern.scenario == name]
    assert ours
    assert any(suspicious & set(case.pattern.order_ids) for case in ours)
    assert all(case.pattern.score >= 1 for case in ours)


def test_twenty_clean_days_raise_at_most_two_cases_per_scenario() -> None:
    watched = stream()
    raised = [
        case.pattern.scenario
        for day in range(28)
        if (DAY + timedelta(day)).weekday() < 5
        for case in cases(clean(DAY + timedelta(day)).numbered(), watched)
    ]
    assert all(raised.count(name) <= 2 for name in FOLDS), raised


def test_layering_is_decided_when_the_third_order_goes() -> None:
    events = planted("layering")
    watched = stream()
    at = [event for event in events for _ in watched.note(event)]
    assert [event.kind for event in at] == ["cancelled"]
    gone = [event for event in events if event.kind == "cancelled"]
    assert at == [gone[2]]


def test_spoofing_is_decided_when_its_window_is_over_and_not_when_it_became_layering() -> None:
    events = planted("spoofing")
    watched = stream(usual=Usual({}, {}))
    assert cases(events, watched) == []
    later = replace(events[-1], ts_event_us=events[-1].ts_event_us + 61_000_000, order_id="later")
    assert [case.pattern.scenario for case in cases([later], watched)] == ["spoofing"]


@pytest.mark.parametrize("name", FOLDS)
def test_a_case_is_raised_once_and_again_after_a_restart_under_its_name(name: str) -> None:
    flow = clean(DAY)
    PLANTED[name](flow)
    first, again = cases(flow.numbered()), cases(flow.numbered())
    ids = [case.alert_id for case in first]
    assert len(ids) == len(set(ids))
    assert [case.alert_id for case in again] == ids


def test_another_mode_another_day_and_what_is_not_watched_raise_nothing() -> None:
    events = planted("layering")
    assert cases(replace(event, mode="demo") for event in events) == []
    watched = stream()
    cases(planted("unusual_size", DAY + timedelta(1)), watched)
    assert cases(events, watched) == []  # of a day that is over
    off = {name: replace(rule, watched=False) for name, rule in RULES.items()}
    assert cases(events, stream(off)) == []


def test_nothing_is_unusual_while_nobody_knows_what_is_usual() -> None:
    for name in ("unusual_size", "unusual_time"):
        assert cases(planted(name), stream(usual=Usual({}, {}))) == []


def test_a_firms_own_parameters_decide() -> None:
    strict = {"orders": 9, "ratio": 3.0, "window_s": 60}
    rules = {**RULES, "layering": replace(RULES["layering"], parameters=strict, version="own")}
    assert cases(planted("layering"), stream(rules)) == []


def test_an_order_that_fills_after_all_was_not_taken_back() -> None:
    events = planted("layering")
    filled = [
        replace(event, kind="filled") if event.kind == "cancelled" else event for event in events
    ]
    assert cases(filled) == []


def test_orders_without_an_end_are_given_up_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "_MOST_ORDERS", 10)
    kept = patterns.Orders()
    flow = Flow(DAY)
    for _ in range(50):
        flow.order(PARTIES[0], "EURUSD", "buy", 36_000)
    for event in flow.numbered():
        if event.kind == "received":
            kept.note(event)
    assert len(kept._open) == 10
