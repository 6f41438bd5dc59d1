"""Forged, mistaken and flooding signals: refused by name, and later ones are none the worse."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.order import DenialReason as Why
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.sections import AdmissionSettings
from core.topics import SIGNALS
from execution.journal import events
from execution.live import Live
from execution.order_path.sizing import Leg
from tests.unit.execution.desk import KEY, RUN, Desk

YEAR_2100_US = 4_102_444_800_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.close()


def driver(desk: Desk, **admission: Any) -> Live:
    """The live driver, which has read the bus up to now."""
    settings = AdmissionSettings(**admission)
    live = desk.live(threading.Event(), timer=desk.timer, admission=settings)
    live.open()
    return live


def send(desk: Desk, *signals: Signal) -> None:
    for signal in signals:
        desk.bus.publish(SIGNALS, "oanda.EURUSD", codec.encode(signal))


def denials(desk: Desk) -> list[OrderEvent]:
    return [e for e in desk.events() if e.kind is EventKind.DENIED]


def poison(desk: Desk) -> Signal:
    """A signal of a far future whose entry nobody would take."""
    return desk.signal(1.0, "poison", ts_event_us=YEAR_2100_US, expires_us=YEAR_2100_US + 1)


def poisoned(home: Path) -> None:
    """A journal as executions of before left it: the signal denied, and kept."""
    desk = Desk(home)
    order = events.of_signal(poison(desk), Leg("", 0.0, 0), 0, None, desk.clock.now_us(), RUN)
    received = events.received(order, poison(desk))
    denied = replace(order, kind=EventKind.DENIED, reason="off_price")
    desk.ledger.record([poison(desk), received, denied])
    desk.ledger.sync()
    desk.close()


def test_a_signal_of_the_future_is_refused_and_supersedes_nothing(desk: Desk) -> None:
    live = driver(desk)
    send(desk, desk.signal(1.0, "entry"), poison(desk))
    live.turn()
    assert desk.book.net(KEY) == 0.1
    desk.at(2)
    send(desk, desk.signal(0.0, "exit"))
    live.turn()
    assert desk.book.net(KEY) == 0.0
    [denied] = denials(desk)
    assert (denied.signal_id, denied.reason, denied.limit) == ("poison", Why.FUTURE_SIGNAL, 300)
    assert denied.ts_event_us == denied.ts_init_us  # a date that storage would choke on is not kept


def test_a_signal_within_the_clock_s_tolerance_is_taken_up(desk: Desk) -> None:
    live = driver(desk, future_tolerance_s=5)
    ahead = desk.clock.now_us() + 4_000_000
    send(desk, desk.signal(1.0, "s", ts_event_us=ahead, expires_us=ahead))
    live.turn()
    assert desk.book.net(KEY) == 0.1


@pytest.mark.parametrize("restarted", [False, True])
def test_a_signal_within_the_tolerance_supersedes_nothing_that_is_made_after_it_came(
    tmp_path: Path, restarted: bool
) -> None:
    desk = Desk(tmp_path)
    live = driver(desk)
    ahead = desk.clock.now_us() + 290_000_000
    send(desk, desk.signal(1.0, "forged", ts_event_us=ahead, expires_us=ahead))
    live.turn()
    assert desk.book.net(KEY) == 0.1
    if restarted:
        desk.close()
        desk = Desk(tmp_path)
        live = driver(desk)
    desk.at(2)
    send(desk, desk.signal(0.0, "exit"))
    live.turn()
    assert desk.book.net(KEY) == 0.0
    desk.close()


def test_of_signals_at_hand_one_of_the_future_does_not_outdo_who_came_after_it(desk: Desk) -> None:
    live = driver(desk)
    ahead = desk.clock.now_us() + 290_000_000
    send(desk, desk.signal(1.0, "forged", ts_event_us=ahead, expires_us=ahead))
    now = desk.clock.now_us()
    send(desk, desk.signal(-1.0, "ours", ts_event_us=now, expires_us=now + 10_000_000))
    live.turn()
    assert desk.book.net(KEY) == -0.1


def test_a_journal_poisoned_before_is_healed_when_it_is_folded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned(tmp_path)
    with caplog.at_level(logging.WARNING):
        desk = Desk(tmp_path)
    try:
        assert "1 signals were dated after the time they were received" in caplog.text
        live = driver(desk)
        send(desk, desk.signal(1.0, "entry"))
        live.turn()
        assert desk.book.net(KEY) == 0.1
    finally:
        desk.close()


def test_a_refused_signal_is_refused_again_after_a_restart_and_its_id_is_not_used_up(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    live = driver(desk)
    desk.trade(0.0, "first")
    send(desk, desk.signal(1.0, "s", strategy="other"))
    live.turn()
    desk.close()
    again = Desk(tmp_path)
    send(again, again.signal(1.0, "s", strategy="other"))
    driver(again).turn()
    assert len(denials(again)) == 1
    assert again.trade(1.0, "s")[-1] == "entry filled"
    again.close()


def test_only_strategies_that_run_here_are_taken_up(desk: Desk) -> None:
    live = driver(desk)
    send(desk, *(desk.signal(1.0, f"s{n}", strategy=f"forged{n}") for n in range(70)))
    send(desk, desk.signal(0.5, "ours"))
    live.turn()
    assert {e.reason for e in denials(desk)} == {Why.UNKNOWN_STRATEGY}
    assert len(denials(desk)) == 70
    assert [p.key for p in desk.book.positions.values()] == [KEY]


def test_more_strategies_may_be_named(desk: Desk) -> None:
    live = driver(desk, strategies=("other", RUN.strategy))
    send(desk, desk.signal(1.0, "s", strategy="other"))
    live.turn()
    assert [p.key.strategy for p in desk.book.positions.values()] == ["other"]


def test_a_flood_is_cut_to_its_rate_and_only_its_first_refusal_is_stored(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    live = driver(desk, max_signals_per_second=20)
    send(desk, *(desk.signal(1.0, f"s{n}") for n in range(200)))
    with caplog.at_level(logging.WARNING):
        live.turn()
        desk.at(2)
        send(desk, desk.signal(0.0, "exit"))
        live.turn()
    assert desk.book.net(KEY) == 0.0  # in the next second signals are taken up again
    [denied] = denials(desk)
    assert (denied.reason, denied.limit, denied.observed) == (Why.SIGNAL_RATE, 20, 21)
    assert "180 signal_rate" in caplog.text


def test_a_flood_under_many_names_counts_as_one_and_leaves_ours_alone(desk: Desk) -> None:
    live = driver(desk, max_signals_per_second=20)
    send(desk, *(desk.signal(1.0, f"f{n}", strategy=f"forged{n}") for n in range(200)))
    send(desk, desk.signal(1.0, "ours"))
    live.turn()
    assert desk.book.net(KEY) == 0.1
    assert len(denials(desk)) == 21


def test_what_waited_while_nobody_counted_is_not_a_flood(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(0.0, "first")  # so that this is a restart, which reads what came meanwhile
    send(desk, *(desk.signal(n / 100, f"s{n}") for n in range(100)))
    driver(desk, max_signals_per_second=20).turn()
    assert denials(desk) == []
    desk.close()


def test_exits_are_looked_at_however_many_signals_come(desk: Desk) -> None:
    live = driver(desk, max_signals_per_second=100_000)
    send(desk, *(desk.signal(1.0, "same") for _ in range(10_000)), desk.signal(1.0, "next"))
    live.turn()
    assert desk.book.received("same")
    assert not desk.book.received("next")
    live.turn()
    assert desk.book.received("next")
