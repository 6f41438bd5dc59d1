"""A netting account: one position per symbol; and what happens without a request of ours."""

from pathlib import Path

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from adapters.simulator.terminal import SimulatedTerminal
from tests.support.markets import TUESDAY, Rows, order, terminal

ROWS: Rows = [(TUESDAY + 1000 * n, 1.1 + n * 1e-3, 1.1001 + n * 1e-3) for n in range(60)]


def netting_account(log: Path | None = None) -> SimulatedTerminal:
    result = terminal({"EURUSD_oanda": ROWS}, log=log, netting=True)
    result.at(TUESDAY + 1000)
    return result


def test_deals_of_a_symbol_make_one_position_with_the_average_price() -> None:
    account = netting_account()
    account.order_send(order("EURUSD", "buy", 0.1, sl=1.09))
    account.at(TUESDAY + 2000)
    account.order_send(order("EURUSD", "buy", 0.3, sl=1.095))
    [held] = account.positions_get()
    assert (held.volume, held.sl) == (0.4, 1.095)
    assert held.price_open == pytest.approx(1.1 + 1e-4 + 1.75e-3)
    assert [d.entry for d in account.history_deals_get(1, 4e9)] == [mt5.DEAL_ENTRY_IN] * 2
    assert account.account_info().margin_mode == mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING


def test_an_opposite_deal_reduces_and_then_closes() -> None:
    account = netting_account()
    account.order_send(order("EURUSD", "buy", 0.3))
    account.order_send(order("EURUSD", "sell", 0.1))
    assert [p.volume for p in account.positions_get()] == [0.2]
    account.order_send(order("EURUSD", "sell", 0.2))
    assert account.positions_get() == ()
    deals = account.history_deals_get(1, 4e9)
    assert [d.entry for d in deals] == [mt5.DEAL_ENTRY_IN, mt5.DEAL_ENTRY_OUT, mt5.DEAL_ENTRY_OUT]
    assert {d.position_id for d in deals} == {1}


def test_a_larger_opposite_deal_reverses_and_keeps_the_identifier() -> None:
    account = netting_account()
    account.order_send(order("EURUSD", "buy", 0.1, sl=1.09))
    account.at(TUESDAY + 11_000)
    account.order_send(order("EURUSD", "sell", 0.3, sl=1.2))
    [held] = account.positions_get()
    assert (held.type, held.volume, held.sl) == (mt5.POSITION_TYPE_SELL, 0.2, 1.2)
    assert (held.identifier, held.ticket) == (1, 2)
    deal = account.history_deals_get(1, 4e9)[-1]
    assert (deal.entry, deal.position_id, deal.profit) == (mt5.DEAL_ENTRY_INOUT, 1, 99.0)


def test_people_and_the_broker_leave_deals_with_their_reasons_and_survive_a_restart(
    tmp_path: Path,
) -> None:
    account = netting_account(tmp_path / "log")
    account.act(operations.money(mt5.DEAL_TYPE_BALANCE, -250.0, "withdrawal"))
    account.act(operations.money(mt5.DEAL_TYPE_CREDIT, 50.0))
    account.act(operations.by_hand("EURUSD", mt5.ORDER_TYPE_BUY, 0.2))
    account.act(operations.stop_out(account.positions_get()[0]))
    expected = account.history_deals_get(0, 4e9), account.account_info()
    account.shutdown()
    again = netting_account(tmp_path / "log")
    assert (again.history_deals_get(0, 4e9), again.account_info()) == expected
    again.shutdown()
    deals, info = expected
    assert [d.type for d in deals] == [2, 2, 3, 0, 1]
    assert [d.reason for d in deals[3:]] == [mt5.DEAL_REASON_CLIENT, mt5.DEAL_REASON_SO]
    assert info.credit == 50.0
    money = sum(d.profit + d.commission + d.swap for d in deals if d.type != mt5.DEAL_TYPE_CREDIT)
    assert info.balance == pytest.approx(money)


def test_no_client_can_send_what_only_a_person_or_the_broker_does() -> None:
    account = netting_account()
    answer = account.order_send(operations.money(mt5.DEAL_TYPE_BALANCE, 1e6))
    assert answer.retcode == mt5.TRADE_RETCODE_INVALID
    assert account.account_info().balance == 100_000.0
