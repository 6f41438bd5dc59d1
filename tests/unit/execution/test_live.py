import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.contracts import codec
from core.contracts.operations import Control, RiskState
from core.contracts.order import AccountState, EventKind
from core.contracts.signal import Signal
from core.contracts.tick import TICK, TickBatch
from core.topics import CONTROL, ORDER_EVENTS, RISK, SIGNALS, TICKS
from core.trading_control import ControlCommand, write
from execution.journal.records import LeaseTaken
from tests.support.waiting import until
from tests.unit.execution.desk import KEY, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, control=tmp_path / "control.json")
    yield opened
    opened.close()


class Running:
    """The live driver in a thread, until the block ends."""

    def __init__(self, desk: Desk) -> None:
        self._stop, self._ready = threading.Event(), threading.Event()
        driver = desk.live(self._stop)
        self._thread = threading.Thread(target=driver.run, args=(self._ready.set,))

    def __enter__(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def publish(desk: Desk, signal: Signal) -> None:
    desk.bus.publish(SIGNALS, "oanda.EURUSD", codec.encode(signal))


def kinds(desk: Desk) -> list[EventKind]:
    return [m.kind for m in desk.bus.messages(ORDER_EVENTS) if hasattr(m, "kind")]


def test_a_signal_on_the_bus_becomes_a_published_fill(desk: Desk) -> None:
    with Running(desk):
        publish(desk, desk.signal(1.0))
        until(lambda: EventKind.FILLED in kinds(desk))
    assert desk.book.net(KEY) == 0.1
    assert any(isinstance(m, AccountState) for m in desk.bus.messages(ORDER_EVENTS))


def test_a_position_closes_when_its_horizon_passes(desk: Desk) -> None:
    with Running(desk):
        publish(desk, desk.signal(1.0))
        until(lambda: len(desk.book.positions) == 1)
        desk.at(40)
        until(lambda: not desk.book.positions)
    assert kinds(desk)[-3:] == [EventKind.SUBMITTED, EventKind.ACCEPTED, EventKind.FILLED]


def test_of_several_waiting_targets_of_a_feed_only_the_newest_is_traded(desk: Desk) -> None:
    desk.trade(0.5)  # not the first start
    for target, name in ((1.0, "a"), (-1.0, "b"), (0.2, "c")):
        publish(desk, desk.signal(target, name))
    with Running(desk):
        until(lambda: desk.book.received("c"))
    by_signal = {e.signal_id: e.kind for e in desk.events() if e.signal_id in "abc"}
    assert by_signal["a"] == by_signal["b"] == EventKind.SUPERSEDED
    assert desk.book.net(KEY) == 0.02


def test_a_target_older_than_one_taken_up_is_not_traded_when_it_comes_late(desk: Desk) -> None:
    old = desk.signal(-1.0, "old")
    desk.at(2)
    desk.trade(1.0, "new")
    publish(desk, old)
    desk.trade(1.0, "again")
    with Running(desk):
        until(lambda: desk.book.received("old"))
    assert EventKind.SUPERSEDED in {e.kind for e in desk.events() if e.signal_id == "old"}
    assert desk.book.net(KEY) == 0.1


def test_a_signal_read_again_after_a_restart_is_not_handled_again(
    desk: Desk, tmp_path: Path
) -> None:
    signal = desk.signal(1.0, "s1")
    publish(desk, signal)
    desk.engine.on_signal(signal)
    before = desk.events()
    with Running(desk):
        publish(desk, desk.signal(1.0, "s2"))
        until(lambda: desk.book.received("s2"))
    fresh = [e for e in desk.events()[len(before) :] if e.kind is not EventKind.BOOKED]
    assert len(fresh) == 1


@pytest.mark.parametrize("foreign", [True, False])
def test_signals_from_before_a_take_over_are_foreign_at_every_later_start(
    desk: Desk, foreign: bool
) -> None:
    desk.trade(0.5)  # not the first start
    publish(desk, desk.signal(1.0, "theirs"))
    last = desk.bus.last(SIGNALS)
    assert last is not None
    until_number = last.sequence if foreign else last.sequence + 1_000  # of a bus that is no more
    desk.ledger.record([LeaseTaken(2, "us", desk.clock.now_us(), until_number)])
    with Running(desk):
        publish(desk, desk.signal(-1.0, "ours"))
        until(lambda: desk.book.received("ours"))
    assert desk.book.received("theirs") is not foreign


def test_signals_of_another_run_or_account_are_not_ours(desk: Desk) -> None:
    with Running(desk):
        publish(desk, desk.signal(1.0, "a", run_id="other"))
        publish(desk, desk.signal(1.0, "b", account="other"))
        desk.bus.publish(SIGNALS, "k", b"not a message")
        publish(desk, desk.signal(1.0, "c"))
        until(lambda: desk.book.received("c"))
    assert not desk.book.received("a")
    assert not desk.book.received("b")


def test_a_halt_on_the_bus_denies_entries_and_is_announced(desk: Desk) -> None:
    with Running(desk):
        halt = Control("halt", "live", 5, "ann", "news")
        desk.bus.publish(CONTROL, "halt", codec.encode(halt))
        until(lambda: desk.trading.state == "halted")
        publish(desk, desk.signal(1.0))
        until(lambda: EventKind.DENIED in kinds(desk))
    states = [m for m in desk.bus.messages(RISK) if isinstance(m, RiskState)]
    assert [(s.state, s.by) for s in states] == [("active", ""), ("halted", "ann")]


def test_a_halt_that_says_so_closes_what_is_open_and_any_other_keeps_it(
    desk: Desk, tmp_path: Path
) -> None:
    desk.trade(1.0)
    with Running(desk):
        write(tmp_path / "control.json", ControlCommand("halted", "ann", "news", 5))
        until(lambda: desk.trading.state == "halted")
        publish(desk, desk.signal(0.5, "denied", symbol="GBPUSD"))
        until(lambda: desk.book.received("denied"))
        assert len(desk.book.positions) == 1
        write(tmp_path / "control.json", ControlCommand("halted", "ann", "news", 6, "flatten"))
        until(lambda: not desk.book.positions)
    assert desk.events()[-1].purpose == "flatten"


def test_ticks_on_the_bus_become_quotes(desk: Desk) -> None:
    tick = np.zeros(1, TICK)
    tick["time_msc"], tick["bid"], tick["ask"] = 5, 2.0, 2.1
    with Running(desk):
        batch = TickBatch("live", "live", "fxcm", "EURUSD", 0, 0, tick.tobytes())
        until(lambda: _quoted(desk, batch))
    quote = desk.quotes.at("fxcm", "EURUSD", 0)
    assert quote is not None
    assert (quote.bid, quote.ask) == (2.0, 2.1)


def _quoted(desk: Desk, batch: TickBatch) -> bool:
    desk.bus.publish(TICKS, "fxcm.EURUSD", codec.encode(batch))
    return desk.quotes.at("fxcm", "EURUSD", 0) is not None
