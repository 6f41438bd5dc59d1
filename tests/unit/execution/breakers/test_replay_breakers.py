"""Breakers in market time: the same for the same ticks and journal, whatever was killed."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.order import AccountState, OrderEvent
from core.contracts.order import EventKind as Kind
from core.contracts.tick import TICK, TickArray
from core.sections import ExecutionSettings
from core.topics import RISK
from execution.breakers.replay_breakers import ReplayBreakers
from execution.order_path.quotes import ReplayQuotes
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState
from tests.support.memory_bus import MemoryBus
from tests.support.replays import RUN
from tests.unit.execution.risk.test_activity import event as plain_event

S = 1_000_000
START = 1_704_801_600 * S


def event(kind: Kind, at_us: int, order_id: str) -> OrderEvent:
    return replace(plain_event(kind, at_us), order_id=order_id)


class Desk:
    def __init__(self, home: Path, text: str = "") -> None:
        (home / "limits.toml").write_text(f'version = "t"\n[breakers]\n{text}')
        limits = LimitsFile(RUN.account, of_settings(ExecutionSettings()), home)
        self.trading, self.bus = TradingState(None), MemoryBus()
        self._quotes = ReplayQuotes()
        self.breakers = ReplayBreakers(limits, self.trading, self.bus, RUN, self._quotes)

    def load(self, feed: tuple[str, str], ticks: TickArray) -> None:
        """As the driver does with a slice."""
        self._quotes.load({feed: [ticks]})
        self.breakers.load({feed: [ticks]}, int(ticks["time_msc"][-1]) * 1000)

    def states(self) -> list[RiskState]:
        return [codec.decode(RISK.name, m.payload) for m in self.bus.topics[RISK.name]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ticks(start_us: int, mids: list[float]) -> TickArray:
    rows = np.zeros(len(mids), TICK)
    rows["time_msc"] = start_us // 1000 + 1000 * np.arange(len(mids))
    rows["bid"] = rows["ask"] = mids
    return rows


EURO = ("oanda", "EURUSD")
QUIET = [1.1 + 1e-5 * (n % 3) for n in range(300)]


def test_a_crash_trips_at_the_time_of_the_quote_that_shows_it(desk: Desk) -> None:
    desk.load(EURO, ticks(START, [*QUIET, 1.0, 1.0, 1.0]))
    shown_us = START + 301 * S  # the second low quote: one odd quote is no crash
    desk.breakers.until(shown_us - 1)
    assert desk.trading.state == "active"
    desk.breakers.until(shown_us)
    assert desk.trading.state == "halted"
    (state,) = desk.states()
    assert (state.state, state.by, state.ts_event_us) == ("halted", "breaker crash", shown_us)
    assert state.run_id == RUN.run_id
    desk.breakers.until(shown_us + 3600 * S)
    assert len(desk.states()) == 1


def test_where_slices_are_cut_makes_no_difference(desk: Desk, tmp_path: Path) -> None:
    whole = ticks(START, [*QUIET, 1.0, 1.0, 1.0])
    for part in (whole[:100], whole[100:301], whole[301:]):
        desk.load(EURO, part)
    desk.breakers.until(START + 400 * S)
    assert [state.ts_event_us for state in desk.states()] == [START + 301 * S]


def test_rejects_trip_in_market_time_and_a_fold_of_the_journal_trips_again(
    desk: Desk, tmp_path: Path
) -> None:
    records = []
    for number in range(12):
        at = START + number * S
        records.append(event(Kind.SUBMITTED, at, order_id=f"o{number}"))
        records.append(event(Kind.REJECTED, at + 1000, order_id=f"o{number}"))
    for record in records:
        desk.breakers.fold(record)
    assert desk.trading.state == "reducing"
    assert desk.trading.current.ts_us == START + 9 * S + 1000  # the tenth answer
    (tmp_path / "again").mkdir()
    again = Desk(tmp_path / "again")
    for record in records:
        again.breakers.fold(record)
    assert again.trading.current == desk.trading.current
    assert again.states() == desk.states()


@pytest.mark.parametrize(("missed_after_ms", "state"), [(950, "reducing"), (50, "active")])
def test_a_slow_broker_trips_and_a_silent_market_does_not(
    tmp_path: Path, missed_after_ms: int, state: str
) -> None:
    desk = Desk(tmp_path, "max_send_ms = 900.0\n")
    quoted = np.zeros(10, TICK)  # of each pair the second fills
    quoted["bid"] = quoted["ask"] = 1.1
    for number in range(5):
        begin = START // 1000 + number * 10_000
        quoted["time_msc"][2 * number : 2 * number + 2] = begin + missed_after_ms, begin + 1000
    desk.load(EURO, quoted)
    for number in range(5):
        at, order = START + number * 10 * S, f"o{number}"
        desk.breakers.fold(event(Kind.SUBMITTED, at, order_id=order))
        desk.breakers.fold(event(Kind.FILLED, at + S, order_id=order))
        desk.breakers.until(at + S)
    assert desk.trading.state == state


def test_an_order_that_waited_for_its_price_says_nothing_of_the_broker(tmp_path: Path) -> None:
    quick = Desk(tmp_path, "max_send_ms = 100")
    for number in range(12):
        at, order = START + number * 60 * S, f"o{number}"
        quick.load(EURO, ticks(at, [1.1] * 60))
        waits = event(Kind.SUBMITTED, at, order_id=order)
        quick.breakers.fold(replace(waits, reason="limit dip"))
        quick.breakers.fold(event(Kind.FILLED, at + 50 * S, order_id=order))
    quick.breakers.until(START + 800 * S)
    assert quick.trading.state == "active"


def test_a_breaker_that_is_off_stays_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 'crash = "none"\n')
    desk.load(EURO, ticks(START, [*QUIET, 1.0, 1.0, 1.0]))
    desk.breakers.until(START + 400 * S)
    assert desk.trading.state == "active"


def test_a_drawdown_trips_in_market_time_by_the_states_of_the_journal(desk: Desk) -> None:
    for second, equity in enumerate((100_000.0, 93_000.0, 92_000.0, 95_000.0, 89_999.0)):
        at_us = START + second * S
        desk.breakers.fold(
            AccountState(
                run_id="r1", mode="replay", account="a", ts_event_us=at_us, ts_init_us=at_us,
                seq=second, currency="USD", balance=equity, equity=equity, margin=0.0,
            )
        )  # fmt: skip
        expected = ("active", "active", "reducing", "reducing", "halted")[second]
        assert desk.trading.state == expected
    assert [state.state for state in desk.states()] == ["reducing", "halted"]
    assert desk.trading.current.by == "breaker drawdown"
