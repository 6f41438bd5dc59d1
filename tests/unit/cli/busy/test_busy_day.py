"""The made-up day has every kind of event in it, and is the same each time."""

from functools import cache

import pytest

from cli.busy import account, desk, firm, market, orders
from cli.busy.day import SYMBOLS, busy_day
from cli.busy.decisions import Quoted, decide
from core.contracts.order import DenialReason, EventKind, OrderEvent
from core.errors import SettingsError
from execution.journal.chain import Chain

DAY = busy_day("demo", 1_790_000_000_000_000)


@cache
def feeds() -> tuple[Quoted, ...]:
    return tuple(decide(DAY, symbol, market.ticks_of(DAY, symbol)) for symbol in SYMBOLS)


@cache
def events() -> tuple[OrderEvent, ...]:
    return tuple(orders.events_of(DAY, feeds()))


def test_every_rule_denies_and_every_kind_of_event_comes() -> None:
    assert {e.reason for e in events() if e.kind == EventKind.DENIED} == set(DenialReason)
    assert {e.kind for e in events()} == set(EventKind)


def test_the_journal_is_whole_and_the_same_each_time() -> None:
    chain = Chain()
    for event in events():
        chain.follow(event, "the busy day")
    again = tuple(decide(DAY, symbol, market.ticks_of(DAY, symbol)) for symbol in SYMBOLS)
    assert orders.events_of(DAY, again) == list(events())


def test_other_modes_have_ids_of_their_own() -> None:
    day = busy_day("live", DAY.end_us)
    live = decide(day, SYMBOLS[0], feeds()[0].ticks).decided.signals
    mine = feeds()[0].decided.signals
    assert not {s.signal_id for s in live} & {s.signal_id for s in mine}
    with pytest.raises(SettingsError, match="no mode 'paper'"):
        busy_day("paper", DAY.end_us)


def test_a_position_of_each_symbol_stays_open_and_others_were_closed() -> None:
    newest = {state.symbol: state.volume for state in account.positions(events())}
    assert set(newest) == set(SYMBOLS)
    assert all(newest.values())
    closed = [state for state in account.positions(events()) if not state.volume]
    assert len(closed) > 100


def test_breaker_lease_and_people_change_the_trading_state() -> None:
    by = {state.by.partition(" ")[0] for state in desk.risk_states(DAY) if state.state == "halted"}
    assert by == {"breaker", "lease"}
    assert {alert.control for alert in desk.alerts(DAY, events())} >= {"halted", "feed_stale"}


def test_the_firms_rules_follow_the_account_through_every_minute() -> None:
    states = firm.rule_states(DAY, events())
    assert {state.rule for state in states} >= {"daily_loss", "drawdown", "min_days", "consistency"}
    losses = [state for state in states if state.rule == "daily_loss"]
    assert len(losses) == len(account.account_states(DAY, events()))
    assert len({state.headroom for state in losses}) > 100


def test_the_calendar_has_an_event_that_moved_and_one_called_off() -> None:
    versions = firm.calendar(DAY)
    times = {event.event_id: set[int]() for event in versions}
    for event in versions:
        times[event.event_id].add(event.ts_event_us)
    assert sorted(map(len, times.values())) == [1, 1, 1, 2]
    assert sum(event.is_cancelled for event in versions) == 1
