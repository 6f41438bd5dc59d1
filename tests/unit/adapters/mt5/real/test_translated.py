"""A foreign broker seen through the real adapter and the translation equals the plain terminal."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from adapters.mt5 import connect
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real import broker_file, symbols
from adapters.mt5.real.broker_file import Broker
from adapters.mt5.real.server_clock import OffsetRule
from adapters.simulator.terminal import SimulatedTerminal
from core.errors import SettingsError
from core.sections import TerminalSettings
from tests.support.foreign_broker import ForeignBroker
from tests.support.markets import TUESDAY, order, terminal

FEEDS = {
    "EURUSD_a": [(TUESDAY + 1000 * i, 1.1 + i * 1e-4, 1.1001 + i * 1e-4) for i in range(50)],
    "XAUUSD_a": [(TUESDAY + 1500 * i, 2000.0 + i, 2000.2 + i) for i in range(30)],
}
NAMES = {"EURUSD": "EURUSD.r", "XAUUSD": "GOLD"}
CLOCK = [OffsetRule(datetime(2023, 1, 1, tzinfo=UTC), "America/New_York", 25_200)]
SETTINGS = TerminalSettings(kind="real", source="a", symbols=("EURUSD", "XAUUSD"))


class Both:
    """The plain terminal, and an equal one behind a foreign broker."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plain: SimulatedTerminal = terminal(FEEDS)
        self._below = terminal(FEEDS)
        self.package = ForeignBroker(self._below, NAMES, "America/New_York", 7)
        monkeypatch.setitem(sys.modules, "MetaTrader5", self.package)  # type: ignore[arg-type]
        broker_file.save(broker_file.path_in(home), Broker("a", "Broker-Live", NAMES, CLOCK))
        self.foreign: Terminal = connect.terminal(SETTINGS, home, role="execution")

    def at(self, now_msc: int) -> None:
        self.plain.at(now_msc)
        self._below.at(now_msc)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    return Both(tmp_path, monkeypatch)


def test_symbols_are_ours(both: Both) -> None:
    both.at(TUESDAY + 5000)
    assert symbols.resolve(both.foreign) == {("a", "EURUSD"): "EURUSD", ("a", "XAUUSD"): "XAUUSD"}
    assert both.foreign.symbols_get() == both.plain.symbols_get()
    assert both.foreign.symbol_info("NOPE") is None


def test_prices_have_utc_times(both: Both) -> None:
    both.at(TUESDAY + 9000)
    begin = TUESDAY / 1000
    assert both.package.symbol_info_tick("EURUSD.r").time_msc == TUESDAY + 9000 + 2 * 3_600_000
    assert both.foreign.symbol_info_tick("EURUSD") == both.plain.symbol_info_tick("EURUSD")
    for result, expected in (
        (
            both.foreign.copy_ticks_from("XAUUSD", begin + 2, 3, mt5.COPY_TICKS_ALL),
            both.plain.copy_ticks_from("XAUUSD", begin + 2, 3, mt5.COPY_TICKS_ALL),
        ),
        (
            both.foreign.copy_ticks_range("EURUSD", begin + 3, begin + 7, mt5.COPY_TICKS_ALL),
            both.plain.copy_ticks_range("EURUSD", begin + 3, begin + 7, mt5.COPY_TICKS_ALL),
        ),
    ):
        assert result is not None
        assert np.array_equal(result, expected)
        assert len(result) > 2


def test_orders_positions_and_history_are_the_plain_terminals(both: Both) -> None:
    both.at(TUESDAY)
    request = order("EURUSD", "buy", sl=1.05, comment="entry")
    assert both.foreign.order_send(request) == both.plain.order_send(request)
    assert both.package.requests[0]["symbol"] == "EURUSD.r"
    both.at(TUESDAY + 20_000)
    assert both.foreign.positions_get() == both.plain.positions_get()
    assert both.foreign.positions_get(symbol="XAUUSD") == ()
    (held,) = both.foreign.positions_get(symbol="EURUSD")
    leave = order("EURUSD", "sell", position=held.ticket)
    assert both.foreign.order_send(leave) == both.plain.order_send(leave)
    begin, end = TUESDAY / 1000, TUESDAY / 1000 + 60
    deals = both.foreign.history_deals_get(begin, end)
    assert deals == both.plain.history_deals_get(begin, end)
    assert [deal.time_msc for deal in deals if deal.symbol] == [TUESDAY, TUESDAY + 20_000]
    assert both.foreign.history_orders_get(begin, end) == both.plain.history_orders_get(begin, end)
    assert both.foreign.orders_get(symbol="EURUSD") == ()
    assert both.foreign.order_calc_margin(0, "XAUUSD", 0.1, 2000.0) == 1000.0


def test_an_order_that_waits_ends_when_we_say_by_the_brokers_clock(both: Both) -> None:
    both.at(TUESDAY + 5000)
    ends = TUESDAY // 1000 + 30
    request = order("EURUSD", "buy") | {
        "action": mt5.TRADE_ACTION_PENDING, "type": mt5.ORDER_TYPE_BUY_LIMIT, "price": 1.09,
        "type_time": mt5.ORDER_TIME_SPECIFIED, "expiration": ends,
    }  # fmt: skip
    assert both.foreign.order_send(request) == both.plain.order_send(request)
    assert both.package.requests[0]["expiration"] == ends + 2 * 3600
    (waits,) = both.foreign.orders_get(symbol="EURUSD")
    assert (waits,) == both.plain.orders_get(symbol="EURUSD")
    assert (waits.time_expiration, waits.time_setup_msc) == (ends, TUESDAY + 5000)
    both.at(ends * 1000)
    assert both.foreign.orders_get() == ()


def test_another_brokers_terminal_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_file.save(broker_file.path_in(tmp_path), Broker("a", "Other-Demo", NAMES, CLOCK))
    package = ForeignBroker(terminal(FEEDS), NAMES, "America/New_York", 7)
    monkeypatch.setitem(sys.modules, "MetaTrader5", package)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="logged in to Broker-Live"):
        connect.terminal(SETTINGS, tmp_path, role="execution")


def test_a_terminal_that_nobody_surveyed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "MetaTrader5", object())  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="tickhouse connect"):
        connect.terminal(SETTINGS, tmp_path, role="execution")
