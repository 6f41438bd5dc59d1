"""Working orders of the simulated broker, against cases worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.broker.operations import IN_PARTS
from adapters.simulator.broker.pending import FIRST_TICKET
from adapters.simulator.terminal import SimulatedTerminal
from tests.support.markets import TUESDAY, market, order, terminal

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
#: Falls to 1.0980, where the buying price jumps over 1.0990, and rises to 1.1030.
EURUSD = [
    (TUESDAY, 1.10000, 1.10010),
    (TUESDAY + 1 * MINUTE, 1.09950, 1.09960),
    (TUESDAY + 2 * MINUTE, 1.09800, 1.09810),
    (TUESDAY + 3 * MINUTE, 1.10100, 1.10110),
    (TUESDAY + 4 * MINUTE, 1.10300, 1.10310),
    (TUESDAY + 2 * 24 * HOUR, 1.10300, 1.10310),
]
LATE = TUESDAY + HOUR


def waiting(kind: int, price: float, **more: Any) -> dict[str, Any]:
    return order("EURUSD", "buy") | {
        "action": mt5.TRADE_ACTION_PENDING, "type": kind, "price": price,
        "type_filling": mt5.ORDER_FILLING_RETURN, **more,
    }  # fmt: skip


def placed(
    kind: int, price: float, at_msc: int = TUESDAY, frictions: Frictions | None = None, **more: Any
) -> tuple[SimulatedTerminal, Any]:
    options = {} if frictions is None else {"frictions": frictions}
    term = terminal({"EURUSD_x": EURUSD}, **options)
    term.at(at_msc)
    return term, term.order_send(waiting(kind, price, **more))


def trades(term: SimulatedTerminal, at_msc: int = LATE) -> list[Any]:
    term.at(at_msc)
    return [deal for deal in term.history_deals_get(1, 2e9) if deal.symbol]


@pytest.mark.parametrize(
    ("kind", "price", "minute", "filled"),
    [
        (mt5.ORDER_TYPE_BUY_LIMIT, 1.0996, 1, 1.0996),  # the ask touches it
        (mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, 2, 1.0990),  # a gap does not help
        (mt5.ORDER_TYPE_SELL_LIMIT, 1.1020, 4, 1.1020),
        (mt5.ORDER_TYPE_BUY_STOP, 1.1020, 4, 1.1031),  # a gap hurts
        (mt5.ORDER_TYPE_SELL_STOP, 1.0990, 2, 1.0980),
        (mt5.ORDER_TYPE_SELL_STOP, 1.0995, 1, 1.0995),
    ],
)
def test_it_fills_at_the_first_quote_that_reaches_it(
    kind: int, price: float, minute: int, filled: float
) -> None:
    term, answer = placed(kind, price)
    assert (answer.retcode, answer.order, answer.deal) == (10009, FIRST_TICKET, 0)
    moment = TUESDAY + minute * MINUTE
    assert trades(term, moment - 1) == []
    assert [working.ticket for working in term.orders_get()] == [FIRST_TICKET]
    (deal,) = trades(term, moment)
    assert (deal.price, deal.time_msc, deal.order) == (filled, moment, FIRST_TICKET)
    assert deal.position_id == term.positions_get()[0].ticket == FIRST_TICKET
    assert term.orders_get() == ()
    (done,) = [o for o in term.history_orders_get(1, 2e9) if o.ticket == FIRST_TICKET]
    assert (done.type, done.state, done.price_open) == (kind, mt5.ORDER_STATE_FILLED, price)
    assert (done.volume_current, done.time_setup_msc) == (0.0, TUESDAY)


def test_no_quote_from_before_it_arrived_fills_it() -> None:
    """It is sent half a second before the only quote that touches it, and arrives after."""
    slow = Frictions(latency_ms=(600, 600), slip_probability=0.0, slip_spreads=0.0)
    sent = TUESDAY + 2 * MINUTE - 500
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, sent, slow)
    assert answer.retcode == mt5.TRADE_RETCODE_INVALID_PRICE  # the market is below it by then
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0975, sent, slow)
    assert answer.retcode == mt5.TRADE_RETCODE_DONE
    assert trades(term) == []


def test_a_quote_at_its_arrival_fills_it() -> None:
    slow = Frictions(latency_ms=(500, 500), slip_probability=0.0, slip_spreads=0.0)
    term, _ = placed(mt5.ORDER_TYPE_SELL_LIMIT, 1.1020, TUESDAY + 4 * MINUTE - 501, slow)
    (deal,) = trades(term)
    assert deal.time_msc == TUESDAY + 4 * MINUTE


def test_its_exits_belong_to_the_position_it_opens() -> None:
    term, _ = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, sl=1.0970, tp=1.1010)
    opened, closed = trades(term)
    assert (opened.price, closed.price) == (1.0990, 1.1010)
    assert closed.reason == mt5.DEAL_REASON_TP
    assert closed.time_msc == TUESDAY + 3 * MINUTE
    assert term.account_info().balance == 100_019.30  # 20 points of 0.1 lots, 2 commissions


@pytest.mark.parametrize(
    ("more", "retcode"),
    [
        ({"price": 1.1001}, mt5.TRADE_RETCODE_INVALID_PRICE),  # the ask is there already
        ({"price": 1.2}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"price": 0.0}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"price": float("nan")}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"type": mt5.ORDER_TYPE_BUY_STOP}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"type": mt5.ORDER_TYPE_BUY_STOP_LIMIT}, mt5.TRADE_RETCODE_INVALID),
        ({"type": mt5.ORDER_TYPE_BUY}, mt5.TRADE_RETCODE_INVALID),
        ({"sl": 1.0996}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"tp": 1.0980}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"volume": 0.015}, mt5.TRADE_RETCODE_INVALID_VOLUME),
        ({"type_filling": mt5.ORDER_FILLING_BOC}, mt5.TRADE_RETCODE_INVALID_FILL),
        ({"type_time": mt5.ORDER_TIME_SPECIFIED}, mt5.TRADE_RETCODE_INVALID_EXPIRATION),
        (
            {"type_time": mt5.ORDER_TIME_SPECIFIED, "expiration": TUESDAY // 1000},
            mt5.TRADE_RETCODE_INVALID_EXPIRATION,
        ),
        ({"type_time": mt5.ORDER_TIME_SPECIFIED_DAY}, mt5.TRADE_RETCODE_INVALID_EXPIRATION),
        ({"symbol": "NOPE"}, mt5.TRADE_RETCODE_INVALID),
    ],
)
def test_a_wrong_one_gets_the_brokers_code(more: dict[str, Any], retcode: int) -> None:
    term = terminal({"EURUSD_x": EURUSD})
    term.at(TUESDAY)
    answer = term.order_send(waiting(mt5.ORDER_TYPE_BUY_LIMIT, 1.0995) | more)
    assert answer.retcode == retcode
    assert answer.comment
    assert term.orders_get() == ()


def test_none_is_taken_while_the_market_is_closed() -> None:
    _, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0995, TUESDAY + 4 * 24 * HOUR)
    assert answer.retcode == mt5.TRADE_RETCODE_MARKET_CLOSED


@pytest.mark.parametrize(
    ("expiry", "ends"),
    [
        ({"expiration": TUESDAY // 1000 + 90}, TUESDAY + 90 * SECOND),
        ({"expiration": TUESDAY // 1000 + 120}, TUESDAY + 2 * MINUTE),  # as its quote comes
        ({"type_time": mt5.ORDER_TIME_DAY}, TUESDAY + 10 * HOUR),  # 17:00 in New York
    ],
)
def test_it_expires_and_nothing_fills_it_after(expiry: dict[str, Any], ends: int) -> None:
    more = {"type_time": mt5.ORDER_TIME_SPECIFIED} | expiry
    price = 1.0990 if ends < LATE else 1.0900
    term, _ = placed(mt5.ORDER_TYPE_BUY_LIMIT, price, **more)
    term.at(ends - 1)
    assert len(term.orders_get()) == 1
    assert trades(term, ends + HOUR) == []
    (done,) = term.history_orders_get(1, 2e9)
    assert (done.state, done.time_done_msc) == (mt5.ORDER_STATE_EXPIRED, ends)
    assert done.volume_current == done.volume_initial


def removal(ticket: int) -> dict[str, Any]:
    return {"action": mt5.TRADE_ACTION_REMOVE, "order": ticket}


def test_it_is_taken_back_once() -> None:
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990)
    term.at(TUESDAY + MINUTE)
    assert term.order_send(removal(answer.order)).retcode == mt5.TRADE_RETCODE_DONE
    assert term.order_send(removal(answer.order)).retcode == mt5.TRADE_RETCODE_INVALID_ORDER
    assert term.order_send(removal(1)).retcode == mt5.TRADE_RETCODE_INVALID_ORDER
    assert trades(term) == []
    (done,) = term.history_orders_get(1, 2e9)
    assert (done.state, done.volume_current) == (mt5.ORDER_STATE_CANCELED, 0.1)


def test_a_removal_that_arrives_after_the_fill_is_refused() -> None:
    slow = Frictions(latency_ms=(600, 600), slip_probability=0.0, slip_spreads=0.0)
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, frictions=slow)
    term.at(TUESDAY + 2 * MINUTE - 500)
    assert term.order_send(removal(answer.order)).retcode == mt5.TRADE_RETCODE_INVALID_ORDER
    assert len(trades(term)) == 1


def test_without_money_when_its_price_comes_it_is_removed() -> None:
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, volume=50.0)
    assert answer.retcode == mt5.TRADE_RETCODE_DONE
    assert trades(term) == []
    (done,) = term.history_orders_get(1, 2e9)
    assert done.state == mt5.ORDER_STATE_REJECTED
    assert done.comment.startswith("No money")


def test_on_a_netting_account_it_goes_into_the_symbols_position() -> None:
    term = SimulatedTerminal(
        market({"EURUSD_x": EURUSD}), netting=True, frictions=Frictions((0, 0), 0.0, 0.0)
    )
    term.at(TUESDAY)
    term.order_send(order("EURUSD", "sell", 0.3))
    term.order_send(waiting(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990))
    term.order_send(waiting(mt5.ORDER_TYPE_SELL_LIMIT, 1.1020, volume=0.2))
    _, bought, sold_more = trades(term)
    assert (bought.entry, bought.profit) == (mt5.DEAL_ENTRY_OUT, 10.0)  # 10 points of 0.1 lots
    assert sold_more.entry == mt5.DEAL_ENTRY_IN
    (held,) = term.positions_get()
    assert (held.volume, held.type) == (0.4, mt5.POSITION_TYPE_SELL)


def test_two_fill_in_the_order_of_their_moments_with_an_exit_between() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    term.at(TUESDAY)
    term.order_send(waiting(mt5.ORDER_TYPE_BUY_STOP, 1.1020))
    term.order_send(waiting(mt5.ORDER_TYPE_BUY_LIMIT, 1.0995, tp=1.1008))
    bought, closed, later = trades(term)
    assert [d.order for d in (bought, later)] == [FIRST_TICKET + 1, FIRST_TICKET]
    assert closed.reason == mt5.DEAL_REASON_TP
    assert bought.time_msc < closed.time_msc < later.time_msc


def test_a_restarted_terminal_has_the_same_books(tmp_path: Path) -> None:
    def books(term: SimulatedTerminal) -> tuple[Any, ...]:
        term.at(LATE)
        everything = term.history_orders_get(0, 2e9), term.history_deals_get(0, 2e9)
        return (*everything, term.orders_get(), term.positions_get(), term.account_info())

    feeds = {"EURUSD_x": EURUSD}
    term = terminal(feeds, Frictions(), tmp_path / "log")
    term.at(TUESDAY)
    first = term.order_send(waiting(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, sl=1.09))
    term.order_send(waiting(mt5.ORDER_TYPE_SELL_STOP, 1.0850))
    again = term.order_send(waiting(mt5.ORDER_TYPE_SELL_LIMIT, 1.1020))
    term.at(TUESDAY + MINUTE)
    term.order_send(order("EURUSD", "buy"))
    term.order_send(removal(again.order))
    term.order_send(change(1.0985))
    form = waiting(mt5.ORDER_TYPE_BUY_STOP, 1.1015) | {"action": IN_PARTS, "stoplimit": 0.05}
    term.act(form | {"deviation": 1_000})
    assert first.order != again.order
    before = books(term)
    term.shutdown()
    again_begun = terminal(feeds, Frictions(), tmp_path / "log")
    assert books(again_begun) == before
    again_begun.shutdown()


def test_an_earlier_caller_sees_it_waiting_still() -> None:
    term, answer = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990)
    assert len(trades(term)) == 1
    term.at(TUESDAY + MINUTE)
    assert [working.ticket for working in term.orders_get("EURUSD")] == [answer.order]
    assert term.orders_get("GBPUSD") == ()


def change(price: float, **more: Any) -> dict[str, Any]:
    return {
        "action": mt5.TRADE_ACTION_MODIFY, "order": FIRST_TICKET, "symbol": "EURUSD.x",
        "price": price, "sl": 0.0, "tp": 0.0, "type_time": mt5.ORDER_TIME_GTC, **more,
    }  # fmt: skip


def test_changed_it_works_under_its_new_terms_alone() -> None:
    term, _ = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0996)
    ends = (TUESDAY + 30 * MINUTE) // 1000
    later = {"sl": 1.0950, "type_time": mt5.ORDER_TIME_SPECIFIED, "expiration": ends}
    assert term.order_send(change(1.0985, **later)).retcode == mt5.TRADE_RETCODE_DONE
    (shown,) = term.orders_get()
    assert (shown.ticket, shown.price_open, shown.sl) == (FIRST_TICKET, 1.0985, 1.0950)
    assert (shown.time_expiration, shown.volume_initial) == (ends, 0.1)
    (deal,) = trades(term)
    assert (deal.price, deal.time_msc) == (1.0985, TUESDAY + 2 * MINUTE)
    assert term.positions_get()[0].sl == 1.0950


@pytest.mark.parametrize(
    ("more", "retcode"),
    [
        ({}, mt5.TRADE_RETCODE_NO_CHANGES),
        ({"price": 1.1020}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"price": float("nan")}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"price": 1.0980, "sl": 1.0990}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"type_time": mt5.ORDER_TIME_SPECIFIED, "expiration": 5},
         mt5.TRADE_RETCODE_INVALID_EXPIRATION),
        ({"order": 7}, mt5.TRADE_RETCODE_INVALID_ORDER),
    ],
)  # fmt: skip
def test_a_wrong_change_leaves_it_as_it_was(more: dict[str, Any], retcode: int) -> None:
    term, _ = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990)
    assert term.order_send(change(1.0990) | more).retcode == retcode
    (deal,) = trades(term)
    assert deal.price == 1.0990


def test_a_change_that_arrives_after_the_fill_is_refused() -> None:
    slow = Frictions(latency_ms=(500, 500), slip_probability=0.0, slip_spreads=0.0)
    term, _ = placed(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, frictions=slow)
    term.at(TUESDAY + 2 * MINUTE - 100)
    assert term.order_send(change(1.0975)).retcode == mt5.TRADE_RETCODE_INVALID_ORDER
    (deal,) = trades(term)
    assert deal.price == 1.0990


def in_parts(kind: int, price: float, **more: Any) -> SimulatedTerminal:
    """The first part 0.04 lots of 0.1, the rest not before half a minute later."""
    term = terminal({"EURUSD_x": EURUSD})
    term.at(TUESDAY)
    form = waiting(kind, price, **more) | {"action": IN_PARTS, "stoplimit": 0.04}
    answer, _ = term.act({**form, "deviation": 30_000})
    assert answer.retcode == mt5.TRADE_RETCODE_DONE
    return term


def test_it_fills_in_parts_each_when_its_price_is_there() -> None:
    term = in_parts(mt5.ORDER_TYPE_BUY_STOP, 1.1005)
    term.at(TUESDAY + 3 * MINUTE + 1)
    (shown,) = term.orders_get()
    assert (shown.state, shown.volume_initial) == (mt5.ORDER_STATE_PARTIAL, 0.1)
    assert shown.volume_current == pytest.approx(0.06)
    first, second = trades(term)
    assert [(d.volume, d.price) for d in (first, second)] == [(0.04, 1.1011), (0.06, 1.1031)]
    assert first.position_id == second.position_id == FIRST_TICKET == second.order
    (held,) = term.positions_get()
    assert (held.volume, held.price_open) == (0.1, 1.1023)
    (done,) = [o for o in term.history_orders_get(1, 2e9) if o.ticket == FIRST_TICKET]
    assert (done.state, done.volume_current) == (mt5.ORDER_STATE_FILLED, 0.0)


@pytest.mark.parametrize(
    ("more", "lots", "state"),
    [
        ({"type_filling": mt5.ORDER_FILLING_FOK}, [0.1], mt5.ORDER_STATE_FILLED),
        ({"type_filling": mt5.ORDER_FILLING_IOC}, [0.04], mt5.ORDER_STATE_CANCELED),
        ({"type_time": mt5.ORDER_TIME_SPECIFIED,
          "expiration": (TUESDAY + 3 * MINUTE) // 1000}, [0.04], mt5.ORDER_STATE_EXPIRED),
        ({"tp": 1.1010}, [0.04, 0.04], mt5.ORDER_STATE_PLACED),
    ],
)  # fmt: skip
def test_the_rest_ends_as_its_form_says(
    more: dict[str, Any], lots: list[float], state: int
) -> None:
    """With a take-profit the position is gone before the rest could go into it."""
    term = in_parts(mt5.ORDER_TYPE_BUY_LIMIT, 1.0990, **more)
    assert [deal.volume for deal in trades(term)] == lots
    over = [o for o in term.history_orders_get(1, 2e9) if o.ticket == FIRST_TICKET]
    assert [o.state for o in over] == ([] if state == mt5.ORDER_STATE_PLACED else [state])
