"""Swaps, stops and take-profits that come by themselves, against cases computed by hand."""

from adapters.mt5.protocol import constants as mt5
from tests.support.markets import TUESDAY, order, send_at, terminal

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
EURUSD = [
    (TUESDAY, 1.10000, 1.10010),
    (TUESDAY + MINUTE, 1.10100, 1.10110),
    (TUESDAY + 2 * DAY, 1.10200, 1.10210),
]


def test_swap_is_charged_at_17_new_york_and_three_times_on_wednesday() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    send_at(term, TUESDAY, order("EURUSD", "buy"))
    term.at(TUESDAY + 10 * HOUR - 1)  # 17:00 New York is 22:00 UTC in winter
    assert term.positions_get()[0].swap == 0.0
    term.at(TUESDAY + 10 * HOUR)
    assert term.positions_get()[0].swap == -0.65  # 6.5 points of 0.1 lots
    term.at(TUESDAY + 34 * HOUR)
    assert term.positions_get()[0].swap == -2.60


def test_the_swap_becomes_balance_when_the_position_closes() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    opened = send_at(term, TUESDAY, order("EURUSD", "buy", 0.2))
    half = order("EURUSD", "sell", 0.1, position=opened.order)
    send_at(term, TUESDAY + 2 * DAY, half)
    deal = term.history_deals_get(1, 2e9)[-1]
    assert (deal.swap, deal.profit) == (-2.60, 19.0)
    left = term.positions_get()[0]
    assert (left.volume, left.swap) == (0.1, -2.60)


def test_a_stop_over_a_weekend_gap_fills_at_the_first_quote_beyond() -> None:
    friday, sunday = TUESDAY + 3 * DAY, TUESDAY + 5 * DAY + 10 * HOUR
    rows = [(friday, 1.1, 1.1001), (sunday, 1.09, 1.0905), (sunday + 1, 1.096, 1.0961)]
    term = terminal({"EURUSD_x": rows})
    send_at(term, friday, order("EURUSD", "buy", sl=1.095))
    term.at(sunday + HOUR)
    assert term.positions_get() == ()
    deal = term.history_deals_get(1, 2e9)[-1]
    assert (deal.price, deal.time_msc, deal.reason) == (1.09, sunday, mt5.DEAL_REASON_SL)
    assert deal.profit == -101.0
    assert deal.comment == "[sl 1.09500]"
    assert deal.swap == -0.65  # Friday's night only


def test_a_take_profit_fills_at_its_level() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    send_at(term, TUESDAY, order("EURUSD", "buy", tp=1.1005, sl=1.09))
    term.at(TUESDAY + HOUR)
    deal = term.history_deals_get(1, 2e9)[-1]
    assert (deal.price, deal.reason, deal.profit) == (1.1005, mt5.DEAL_REASON_TP, 4.0)


def test_stops_of_a_short_position_watch_the_ask() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    send_at(term, TUESDAY, order("EURUSD", "sell", sl=1.10105))
    term.at(TUESDAY + HOUR)
    assert term.history_deals_get(1, 2e9)[-1].price == 1.1011


def test_stops_of_several_symbols_are_booked_in_time_order() -> None:
    late = [(TUESDAY, 1.1, 1.1), (TUESDAY + 2000, 1.0, 1.0)]
    early = [(TUESDAY, 1.2, 1.2), (TUESDAY + 1000, 1.1, 1.1)]
    term = terminal({"EURUSD_x": late, "GBPUSD_x": early})
    send_at(term, TUESDAY, order("EURUSD", "buy", sl=1.05))
    send_at(term, TUESDAY, order("GBPUSD", "buy", sl=1.15))
    term.at(TUESDAY + HOUR)
    assert [d.symbol for d in term.history_deals_get(1, 2e9)[-2:]] == ["GBPUSD", "EURUSD"]
