import time
from pathlib import Path

import numpy as np
import pytest

from core.contracts.order import EventKind as Kind
from core.contracts.tick import TICK, TickArray
from core.sections import ExecutionSettings
from core.trading_control import ControlCommand, write
from execution.breakers.breakers import Breakers
from execution.risk.activity import Activity
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState
from tests.unit.execution.risk.test_activity import event

S = 1_000_000
START = 1_704_801_600 * S


class Steady:
    """A clock that a test moves; breakers compare it with the machine's own."""

    def __init__(self) -> None:
        self.now = START

    def now_us(self) -> int:
        return self.now


class Moved:
    """The machine's timer, and what a test adds to it."""

    def __init__(self) -> None:
        self.added_s = 0.0

    def seconds(self) -> float:
        return time.perf_counter() + self.added_s

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"a breaker sleeps {seconds} s")


class Board:
    def __init__(self, home: Path, text: str = "") -> None:
        (home / "limits.toml").write_text(f'version = "t"\n[breakers]\nmax_drift_s = 60.0\n{text}')
        limits = LimitsFile("simulated", of_settings(ExecutionSettings()), home)
        self.control, self.clock, self.activity = home / "control.json", Steady(), Activity()
        self.trading = TradingState(self.control, home / "breakers.json")
        self.timer = Moved()
        self.breakers = Breakers(limits, self.trading, self.clock, self.activity, self.timer)

    def check(self, *waits_ms: float, away: bool = False) -> str:
        self.breakers.check([round(ms * 1e6) for ms in waits_ms], away=away)
        return self.trading.state


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def ticks(start_us: int, mids: list[float]) -> TickArray:
    rows = np.zeros(len(mids), TICK)
    rows["time_msc"] = start_us // 1000 + 1000 * np.arange(len(mids))
    rows["bid"] = rows["ask"] = mids
    return rows


def test_a_crash_halts_across_a_restart_until_a_person_resumes(
    board: Board, tmp_path: Path
) -> None:
    quiet = [1.1 + 1e-5 * (n % 3) for n in range(300)]
    board.clock.now = START + 303 * S
    board.breakers.ticks("oanda", "EURUSD", ticks(START, [*quiet, 1.0, 1.0]))
    assert board.trading.state == "halted"
    assert board.trading.current.by == "breaker crash"
    assert "oanda EURUSD" in board.trading.current.reason
    assert TradingState(board.control, tmp_path / "breakers.json").state == "halted"
    write(board.control, ControlCommand("active", "ann", "checked", board.clock.now + 1))
    board.trading.poll()
    assert board.trading.state == "active"


def test_a_crash_of_the_past_read_again_is_no_news(board: Board) -> None:
    board.clock.now = START + 7200 * S
    quiet = [1.1 + 1e-5 * (n % 3) for n in range(300)]
    board.breakers.ticks("oanda", "EURUSD", ticks(START, [*quiet, 1.0, 1.0]))
    assert board.trading.state == "active"


def test_many_rejects_reduce_and_few_orders_say_nothing(board: Board) -> None:
    for number in range(9):
        board.activity.fold(event(Kind.REJECTED, START + number))
    assert board.check() == "active"
    board.activity.fold(event(Kind.REJECTED, START + 10))
    assert board.check() == "reducing"


def test_rejects_before_a_person_resumed_do_not_trip_again(board: Board) -> None:
    for number in range(20):
        board.activity.fold(event(Kind.REJECTED, START + number))
    assert board.check() == "reducing"
    write(board.control, ControlCommand("active", "ann", "checked", START + 30))
    board.trading.poll()
    assert board.check() == "active"


def test_slow_answers_reduce(board: Board) -> None:
    assert board.check(9000, 9000, 1, 1) == "active"  # too few
    assert board.check(9000, 9000, 1, 1, 1) == "active"  # the median is well
    assert board.check(9000, 9000, 9000, 1, 1) == "reducing"


def test_a_lost_terminal_reduces_and_its_return_takes_that_back(board: Board) -> None:
    assert board.check(away=True) == "active"
    board.timer.added_s, board.clock.now = 9.0, START + 9 * S
    assert board.check(away=True) == "active"
    board.timer.added_s, board.clock.now = 10.0, START + 10 * S
    assert board.check(away=True) == "reducing"
    assert board.check(away=False) == "active"


def test_a_lost_terminal_reduces_in_time_though_our_clock_was_set_back(board: Board) -> None:
    assert board.check(away=True) == "active"
    board.timer.added_s, board.clock.now = 10.0, START - 30 * S
    assert board.check(away=True) == "reducing"


def test_a_clock_that_jumps_or_ticks_of_the_future_reduce(tmp_path: Path) -> None:
    for name, jump in (("forward", 61), ("back", -61)):
        (tmp_path / name).mkdir()
        board = Board(tmp_path / name)
        assert board.check() == "active"
        board.clock.now += jump * S
        assert board.check() == "reducing"
    board = Board(tmp_path)
    board.breakers.ticks("oanda", "EURUSD", ticks(START + 60 * S, [1.1]))
    assert board.trading.state == "active"
    board.breakers.ticks("oanda", "EURUSD", ticks(START + 61 * S, [1.1]))
    assert board.trading.current.by == "breaker drift"


def test_a_breaker_that_is_turned_off_does_nothing(tmp_path: Path) -> None:
    board = Board(tmp_path, 'latency = "none"')
    assert board.check(*[9000.0] * 5) == "active"
