"""The broker closes positions for want of margin, at the quote that shows it and at no other."""

from random import Random
from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.terminal import SimulatedTerminal
from core.instruments import instrument
from tests.support.markets import TUESDAY, Rows, order, terminal

SPREAD = 1e-4
END = TUESDAY + 1_000_000


def walk(seed: int, count: int = 400) -> Rows:
    rng, price, rows = Random(seed), 1.1, []
    for number in range(count):
        price = max(price + rng.gauss(0, 0.0015), 0.2)
        rows.append((TUESDAY + 100 * number, round(price, 5), round(price + SPREAD, 5)))
    return rows


def stop_outs(account: SimulatedTerminal) -> list[Any]:
    deals = account.history_deals_get(0.0, 4e9)
    return [deal for deal in deals if deal.reason == mt5.DEAL_REASON_SO]


def worked_out(rows: Rows, longs: list[tuple[float, float, bool]], balance: float) -> list[int]:
    """Times of stop-outs, quote by quote, plainly: (volume, entry, long) held from the start."""
    held, times = list(longs), []
    known = instrument("EURUSD", TUESDAY * 1000)
    assert known is not None
    margins = {one: round(one[0] * 100_000 * one[1] * known.margin_rate, 2) for one in held}
    for time_msc, bid, ask in rows[1:]:
        while held:
            profits = {
                one: round((bid - one[1] if one[2] else one[1] - ask) * one[0] * 100_000, 2)
                for one in held
            }
            margin = sum(margins[one] for one in held)
            if balance + sum(profits[one] for one in held) > 0.5 * margin:
                break
            worst = min(held, key=lambda one: profits[one])
            balance += profits[worst] - round(known.commission * worst[0], 2)
            held.remove(worst)
            times.append(time_msc)
    return times


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 12, 14, 47, 71, 108, 190])
def test_it_is_where_equity_is_worked_out_at_every_quote(seed: int) -> None:
    rows, rng = walk(seed), Random(f"volumes {seed}")
    account = terminal({"EURUSD_sim": rows}, balance=3_000.0)
    account.at(TUESDAY)
    held = []
    for _ in range(rng.choice((1, 2, 3))):
        long, volume = rng.random() < 0.5, rng.choice((0.1, 0.2, 0.3))
        done = account.order_send(order("EURUSD", "buy" if long else "sell", volume))
        if done.retcode == mt5.TRADE_RETCODE_DONE:
            held.append((volume, done.price, long))
    commission = sum(d.commission for d in account.history_deals_get(0.0, 4e9))
    expected = worked_out(rows, held, 3_000.0 + commission)
    account.at(END)
    assert [deal.time_msc for deal in stop_outs(account)] == expected
    asked_often = terminal({"EURUSD_sim": rows}, balance=3_000.0)
    asked_often.at(TUESDAY)
    for volume, _, long in held:
        asked_often.order_send(order("EURUSD", "buy" if long else "sell", volume))
    for time_msc, *_ in rows[:: rng.choice((1, 7))]:
        asked_often.at(time_msc)
        asked_often.account_info()
    asked_often.at(END)
    assert stop_outs(asked_often) == stop_outs(account)


def test_the_deal_tells_the_level_and_the_account_its_rules() -> None:
    rows: Rows = [(TUESDAY, 1.1, 1.1), (TUESDAY + 100, 1.09, 1.09), (TUESDAY + 200, 1.05, 1.05)]
    account = terminal({"EURUSD_sim": rows}, balance=500.0)
    account.at(TUESDAY)
    account.order_send(order("EURUSD", "buy", 0.1))
    account.at(TUESDAY + 150)
    assert len(account.positions_get()) == 1  # 400 of 367 margin are left
    account.at(TUESDAY + 250)
    (deal,) = stop_outs(account)
    assert deal.comment.startswith("[so 0.0") or deal.comment.startswith("[so -")
    assert (deal.price, deal.time_msc) == (1.05, TUESDAY + 200)
    assert account.positions_get() == ()
    assert account.account_info().margin_so_so == 50.0


def test_a_stop_that_comes_first_leaves_nothing_to_close() -> None:
    rows: Rows = [(TUESDAY, 1.1, 1.1), (TUESDAY + 100, 1.08, 1.08), (TUESDAY + 200, 1.0, 1.0)]
    account = terminal({"EURUSD_sim": rows}, balance=500.0)
    account.at(TUESDAY)
    account.order_send(order("EURUSD", "buy", 0.1, sl=1.085))
    account.at(END)
    assert stop_outs(account) == []
    assert account.account_info().balance == pytest.approx(300.0, abs=2.0)


def test_nobody_is_closed_out_while_there_is_margin() -> None:
    account = terminal({"EURUSD_sim": walk(3)})
    account.at(TUESDAY)
    account.order_send(order("EURUSD", "sell", 0.1))
    account.at(END)
    assert stop_outs(account) == []
    assert len(account.positions_get()) == 1
