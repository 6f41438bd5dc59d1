"""One body for every simulated terminal: in this process, and in another through RPC."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.recorded_market import RecordedMarket
from adapters.mt5.protocol.terminal import MT5_TICK, Terminal
from adapters.mt5.real import symbols
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from tests.support.markets import TUESDAY, order, terminal
from tests.support.terminals import asking

FEEDS = {
    "EURUSD_a": [(TUESDAY + 1000 * i, 1.1 + i * 1e-4, 1.1001 + i * 1e-4) for i in range(50)],
    "XAUUSD_a": [(TUESDAY + 1500 * i, 2000.0 + i, 2000.2 + i) for i in range(30)],
}

AnyTerminal = SimulatedTerminal | RemoteTerminal


@pytest.fixture(params=["here", "remote"])
def term(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyTerminal]:
    here = terminal(FEEDS)
    if request.param == "here":
        yield here
        return
    server = Server(here, tmp_path)
    remote = asking(server, timeout_s=5.0)
    yield remote
    remote.shutdown()
    server.close()


def test_it_is_a_terminal_and_a_recorded_market(term: AnyTerminal) -> None:
    as_terminal: Terminal = term
    as_market: RecordedMarket = term
    assert as_terminal.initialize() is True
    assert as_terminal.terminal_info().trade_allowed is True
    assert as_market.feeds() == (("a", "EURUSD"), ("a", "XAUUSD"))
    assert symbols.resolve(term)["a", "XAUUSD"] == "XAUUSD"
    assert as_terminal.last_error() == (mt5.RES_S_OK, "Success")


def test_slices_hold_all_ticks(term: AnyTerminal) -> None:
    part = term.slice(1)
    assert part is not None
    assert (part.number, part.last, part.training) == (1, True, False)
    assert term.slice(2) is None
    ticks = term.slice_ticks(1, "a", "EURUSD")
    assert ticks.dtype == MT5_TICK
    assert ticks["bid"].tolist() == [row[1] for row in FEEDS["EURUSD_a"]]
    assert len(term.slice_ticks(2, "a", "EURUSD")) == 0


def test_ticks_are_copied_up_to_the_callers_time(term: AnyTerminal) -> None:
    term.at(TUESDAY + 10_000)
    assert term.symbol_info_tick("EURUSD").time_msc == TUESDAY + 10_000
    ticks = term.copy_ticks_from("EURUSD", TUESDAY / 1000 + 5, 3, mt5.COPY_TICKS_ALL)
    assert ticks is not None
    assert (ticks["time_msc"] - TUESDAY).tolist() == [5000, 6000, 7000]
    ticks = term.copy_ticks_range("EURUSD", TUESDAY / 1000 + 9, TUESDAY / 1000 + 99, -1)
    assert ticks is not None
    assert (ticks["time_msc"] - TUESDAY).tolist() == [9000, 10_000]


def test_an_unknown_symbol_is_none_with_a_reason(term: AnyTerminal) -> None:
    assert term.symbol_info("NOPE") is None
    assert term.last_error() == (mt5.RES_E_NOT_FOUND, "unknown symbol NOPE")
    assert term.copy_ticks_from("NOPE", 0, 1, -1) is None
    assert term.symbol_info("EURUSD").digits == 5
    assert term.last_error()[0] == mt5.RES_S_OK


def test_a_position_lives_from_entry_to_exit(term: AnyTerminal) -> None:
    term.at(TUESDAY)
    opened = term.order_send(order("EURUSD", "buy", sl=1.05, comment="entry"))
    assert opened.retcode == mt5.TRADE_RETCODE_DONE
    assert opened.request.comment == "entry"
    (held,) = term.positions_get(symbol="EURUSD")
    assert (held.ticket, held.sl, held.magic, held.comment) == (opened.order, 1.05, 7, "entry")
    assert term.positions_get(ticket=held.ticket + 1) == ()
    assert term.account_info().margin > 0
    term.at(TUESDAY + 20_000)
    term.order_send(order("EURUSD", "sell", position=held.ticket))
    assert term.positions_get() == ()
    entry, leave = term.history_deals_get(1, TUESDAY / 1000 + 60)
    assert (entry.position_id, leave.position_id) == (held.ticket, held.ticket)
    assert leave.profit == pytest.approx(19.0)
    assert len(term.history_orders_get(0, TUESDAY / 1000 + 60)) == 2
    assert term.orders_get() == ()
    assert term.account_info().balance == pytest.approx(100_018.30)


def test_margin_is_a_share_of_the_notional(term: AnyTerminal) -> None:
    assert term.order_calc_margin(0, "XAUUSD", 0.1, 2000.0) == 1000.0  # 10 oz x 2000 x 5 %


def test_equal_calls_get_equal_answers_wherever_the_terminal_runs(tmp_path: Path) -> None:
    here, there = terminal(FEEDS), terminal(FEEDS)
    server = Server(there, tmp_path)
    remote = asking(server, timeout_s=5.0)
    for number in range(20):
        for each in (here, remote):
            each.at(TUESDAY + 900 * number)
        request = order("EURUSD", "buy" if number % 2 else "sell", comment=str(number))
        assert here.order_send(request) == remote.order_send(request)
    assert here.positions_get() == remote.positions_get()
    assert np.array_equal(here.slice_ticks(1, "a", "XAUUSD"), remote.slice_ticks(1, "a", "XAUUSD"))
    remote.shutdown()
    server.close()
