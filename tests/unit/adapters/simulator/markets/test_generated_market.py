"""The generated market live in a terminal, and written to files."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.markets import generated_market
from adapters.simulator.markets.generated import day_ticks
from adapters.simulator.markets.generated_files import write_parquet
from adapters.simulator.markets.generated_market import GeneratedMarket, GeneratedTape
from adapters.simulator.markets.tape import Ticks
from adapters.simulator.markets.tickfile import ParquetTicks
from adapters.simulator.terminal import SimulatedTerminal
from tests.support.markets import order

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NOON_MSC = int(NOON.timestamp() * 1000)


def test_files_hold_the_market_of_the_span(tmp_path: Path) -> None:
    (path,) = write_parquet(tmp_path, ["EURUSD"], NOON, hours=13, seed=3)
    assert path.name == "EURUSD_sim.parquet"
    written = np.concatenate(list(ParquetTicks(path).chunks()))
    day = NOON_MSC // 86_400_000
    built = np.concatenate([day_ticks("EURUSD", day + i, 3) for i in (0, 1)])
    time = built["time_msc"]
    wanted = built[(time >= NOON_MSC) & (time < NOON_MSC + 13 * 3_600_000)]
    assert written.tobytes() == wanted.tobytes()


def test_a_live_terminal_shows_ticks_up_to_its_clock_and_no_further() -> None:
    term = SimulatedTerminal(GeneratedMarket(["BTCUSD"]), now_msc=lambda: NOON_MSC)
    term.at(0)  # ignored
    ticks = term.copy_ticks_from("BTCUSD", NOON_MSC / 1000 - 60, 10_000, mt5.COPY_TICKS_ALL)
    assert ticks is not None
    assert 20 < len(ticks) < 3000
    assert ticks["time_msc"][-1] <= NOON_MSC
    newest = term.symbol_info_tick("BTCUSD")
    assert newest is not None
    assert newest.time_msc == ticks["time_msc"][-1]
    beyond = term.copy_ticks_range("BTCUSD", NOON_MSC / 1000, NOON_MSC / 1000 + 60, -1)
    assert beyond is not None
    assert len(beyond) <= (ticks["time_msc"] == NOON_MSC).sum()
    assert term.slice(1) is None


def test_a_live_order_takes_the_modelled_brokers_time() -> None:
    term = SimulatedTerminal(GeneratedMarket(["BTCUSD"]), now_msc=lambda: NOON_MSC)
    result, wait_s = term.decide(order("BTCUSD", "buy"))
    assert result.retcode == mt5.TRADE_RETCODE_DONE
    deal = term.history_deals_get(1, 4e9)[-1]
    assert wait_s == (deal.time_msc - NOON_MSC) / 1000
    assert 0.02 <= wait_s < 10.2


def test_the_newest_quote_on_a_closed_day_is_fridays() -> None:
    sunday = int(datetime(2026, 6, 14, 12, tzinfo=UTC).timestamp() * 1000)
    term = SimulatedTerminal(GeneratedMarket(["EURUSD"]), now_msc=lambda: sunday)
    newest = term.symbol_info_tick("EURUSD")
    assert newest is not None
    assert datetime.fromtimestamp(newest.time, UTC).date().isoformat() == "2026-06-12"
    assert term.order_send(order("EURUSD", "buy")).retcode == mt5.TRADE_RETCODE_MARKET_CLOSED


def test_polling_a_closed_day_makes_no_day_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def counted(symbol: str, day: int, seed: int, lively_s: int | None) -> Ticks:
        built.append(day)
        return day_ticks(symbol, day, seed, lively_s)

    monkeypatch.setattr(generated_market, "day_ticks", counted)
    saturday = int(datetime(2026, 6, 13, 12, tzinfo=UTC).timestamp() * 1000)
    term = SimulatedTerminal(GeneratedMarket(["EURUSD"]), now_msc=lambda: saturday)
    polled = {term.symbol_info_tick("EURUSD") for _ in range(5)}
    assert len(polled) == 1
    assert len(built) == len(set(built)) <= 4


def test_a_live_market_tells_when_its_next_tick_comes() -> None:
    term = SimulatedTerminal(GeneratedMarket(["BTCUSD", "EURUSD"]), now_msc=lambda: NOON_MSC)
    ticks = term.copy_ticks_range("BTCUSD", NOON_MSC / 1000 - 60, NOON_MSC / 1000, 0)
    assert ticks is not None
    later = GeneratedTape("BTCUSD", 7).first_from(NOON_MSC + 1, NOON_MSC + 60_000)
    assert later is not None
    wait_s = term.until_ticks(["BTCUSD"], NOON_MSC, 5.0)
    assert wait_s == min((later.time_msc - NOON_MSC) / 1000, 5.0)
    assert 0 < term.until_ticks(["BTCUSD", "EURUSD"], NOON_MSC, 5.0) <= wait_s
    assert term.until_ticks(["BTCUSD"], int(ticks["time_msc"][-1]) - 1, 5.0) == 0.0  # it is there
    assert term.until_ticks(["none"], NOON_MSC, 0.1) == 0.1
    assert term.until_ticks(["BTCUSD"], NOON_MSC, 1e9) <= 5.0  # nobody holds a connection for ever
