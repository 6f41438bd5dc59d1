"""The simulated account against cases computed by hand, and its determinism."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.terminal import SimulatedTerminal
from core.errors import JournalError
from tests.support.markets import TUESDAY, market, order, send_at, terminal

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
EURUSD = [
    (TUESDAY, 1.10000, 1.10010),
    (TUESDAY + MINUTE, 1.10100, 1.10110),
    (TUESDAY + 2 * DAY, 1.10200, 1.10210),
]


def test_a_buy_pays_the_ask_gets_the_bid_and_two_commissions() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    opened = send_at(term, TUESDAY, order("EURUSD", "buy"))
    assert (opened.retcode, opened.price, opened.bid) == (mt5.TRADE_RETCODE_DONE, 1.1001, 1.1)
    position = term.positions_get()[0]
    assert (position.ticket, position.price_current, position.profit) == (opened.order, 1.1, -1.0)
    closing = order("EURUSD", "sell", position=position.ticket)
    closed = send_at(term, TUESDAY + MINUTE, closing)
    assert (closed.retcode, closed.price) == (mt5.TRADE_RETCODE_DONE, 1.101)
    deal = term.history_deals_get(1, 2e9)[-1]
    assert (deal.profit, deal.commission, deal.entry) == (9.0, -0.35, mt5.DEAL_ENTRY_OUT)
    assert deal.position_id == position.ticket
    assert term.account_info().balance == 100_008.30  # + 9.00 - 2 x 0.35
    assert term.positions_get() == ()


def test_a_sell_gets_the_bid_and_pays_the_ask() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    opened = send_at(term, TUESDAY, order("EURUSD", "sell"))
    closing = order("EURUSD", "buy", position=opened.order)
    assert send_at(term, TUESDAY + MINUTE, closing).price == 1.1011
    assert term.history_deals_get(1, 2e9)[-1].profit == -11.0
    assert term.account_info().balance == 99_988.30


def test_equity_and_margin_follow_the_market() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    send_at(term, TUESDAY, order("EURUSD", "buy"))
    term.at(TUESDAY + MINUTE)
    account = term.account_info()
    assert (account.balance, account.profit, account.equity) == (99_999.65, 9.0, 100_008.65)
    assert account.margin == 366.33  # 0.1 x 100,000 x 1.1001 x 3.33 %
    assert account.margin_free == pytest.approx(99_642.32)


def test_a_stop_that_is_reached_before_the_close_arrives_wins() -> None:
    rows = [(TUESDAY, 1.1, 1.1), (TUESDAY + 50, 1.0, 1.0), (TUESDAY + 100, 1.1, 1.1)]
    term = terminal({"EURUSD_x": rows}, Frictions((100, 100), 0.0, 0.0))
    opened = send_at(term, TUESDAY - 100, order("EURUSD", "buy", sl=1.05))
    refused = send_at(term, TUESDAY, order("EURUSD", "sell", position=opened.order))
    assert refused.retcode == mt5.TRADE_RETCODE_POSITION_CLOSED
    assert len(term.positions_get()) == 1  # not yet stopped at this time
    term.at(TUESDAY + 50)
    assert term.history_deals_get(1, 2e9)[-1].reason == mt5.DEAL_REASON_SL


def test_profit_in_yen_is_converted_by_the_market_own_quote() -> None:
    crosses = [(TUESDAY, 190.0, 190.01), (TUESDAY + 3 * HOUR, 191.01, 191.02)]
    term = terminal({"GBPJPY_x": crosses, "USDJPY_x": [(TUESDAY - 1, 149.99, 150.01)]})
    opened = send_at(term, TUESDAY, order("GBPJPY", "buy"))
    assert term.account_info().margin == 633.37  # 0.1 x 100,000 x 190.01 / 150 x 5 %
    closing = order("GBPJPY", "sell", position=opened.order)
    assert send_at(term, TUESDAY + 3 * HOUR, closing).retcode == mt5.TRADE_RETCODE_DONE
    assert term.history_deals_get(1, 2e9)[-1].profit == 66.67  # 10,000 yen


@pytest.mark.parametrize("rates", [{}, {"USDJPY_x": [(TUESDAY - HOUR - 1, 149.99, 150.01)]}])
def test_an_entry_without_a_fresh_conversion_rate_is_refused(rates: dict[str, Any]) -> None:
    term = terminal({"GBPJPY_x": [(TUESDAY, 190.0, 190.01)], **rates})
    refused = send_at(term, TUESDAY, order("GBPJPY", "buy"))
    assert refused.retcode == mt5.TRADE_RETCODE_PRICE_OFF
    assert "JPY rate" in refused.comment


@pytest.mark.parametrize(
    ("change", "retcode"),
    [
        ({"volume": 0.015}, mt5.TRADE_RETCODE_INVALID_VOLUME),
        ({"volume": 0.0}, mt5.TRADE_RETCODE_INVALID_VOLUME),
        ({"volume": 501.0}, mt5.TRADE_RETCODE_INVALID_VOLUME),
        ({"volume": 100.0}, mt5.TRADE_RETCODE_NO_MONEY),
        ({"sl": 1.1}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"tp": 1.09}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"price": 1.1, "deviation": 9}, mt5.TRADE_RETCODE_REQUOTE),
        ({"price": 1.1, "deviation": 10}, mt5.TRADE_RETCODE_DONE),
        ({"type_filling": mt5.ORDER_FILLING_RETURN}, mt5.TRADE_RETCODE_INVALID_FILL),
        ({"type": 2}, mt5.TRADE_RETCODE_INVALID),
        ({"action": mt5.TRADE_ACTION_PENDING}, mt5.TRADE_RETCODE_INVALID),
        ({"symbol": "NOPE"}, mt5.TRADE_RETCODE_INVALID),
        ({"comment": "x" * 32}, mt5.TRADE_RETCODE_INVALID),
        ({"position": 99}, mt5.TRADE_RETCODE_POSITION_CLOSED),
    ],
)
def test_a_wrong_request_gets_the_brokers_code(change: dict[str, Any], retcode: int) -> None:
    term = terminal({"EURUSD_x": EURUSD})
    answer = send_at(term, TUESDAY, order("EURUSD", "buy") | change)
    assert answer.retcode == retcode
    assert answer.comment


def test_closing_more_than_is_held_is_refused() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    opened = send_at(term, TUESDAY, order("EURUSD", "buy"))
    answer = send_at(term, TUESDAY, order("EURUSD", "sell", 0.2, position=opened.order))
    assert answer.retcode == mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME


def test_in_a_quiet_market_the_standing_quote_fills_after_ten_seconds() -> None:
    request = order("EURUSD", "buy")
    for wait, price in ((10_001, 0), (10_000, 1)):
        term = terminal({"EURUSD_x": EURUSD})
        sent = TUESDAY + MINUTE - wait
        answer = send_at(term, sent, request)
        assert answer.retcode == mt5.TRADE_RETCODE_DONE
        assert (answer.bid, answer.ask) == EURUSD[price][1:3]
        term.at(sent + MINUTE)
        (deal,) = [d for d in term.history_deals_get(1, 2e9) if d.symbol]
        assert deal.time_msc == sent + 10_000


def test_without_a_quote_a_market_is_closed_outside_its_hours_and_where_the_tape_ends() -> None:
    request, last = order("EURUSD", "buy"), EURUSD[-1][0]
    term = terminal({"EURUSD_x": EURUSD})
    assert send_at(term, last - 9_000, request).retcode == mt5.TRADE_RETCODE_DONE
    assert send_at(term, last + 1, request).retcode == 10018
    noon = TUESDAY + 4 * DAY
    saturday = [(noon, *EURUSD[0][1:]), (noon + HOUR, *EURUSD[1][1:])]
    shut = terminal({"EURUSD_x": saturday})
    assert send_at(shut, noon + MINUTE, request).retcode == 10018


def test_changed_stops_hold_from_then_on() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    opened = send_at(term, TUESDAY, order("EURUSD", "buy"))
    change = {"action": mt5.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": opened.order}
    assert send_at(term, TUESDAY, change | {"tp": 1.1005}).retcode == mt5.TRADE_RETCODE_DONE
    term.at(TUESDAY + HOUR)
    assert term.history_deals_get(1, 2e9)[-1].reason == mt5.DEAL_REASON_TP


def test_bad_quotes_are_not_traded_on() -> None:
    nan = float("nan")
    rows = [(TUESDAY, nan, 1.1), (TUESDAY + 1, 1.1, -1.0), (TUESDAY + 2, 1.2, 1.1)]
    answer = send_at(terminal({"EURUSD_x": rows}), TUESDAY, order("EURUSD", "buy"))
    assert answer.price == 1.2  # crossed: the worse side


def test_an_earlier_caller_sees_the_account_as_it_was_then() -> None:
    """A restarted execution process resumes at an older market time."""
    term = terminal({"EURUSD_x": EURUSD})
    send_at(term, TUESDAY, order("EURUSD", "buy", tp=1.1005))
    before = term.positions_get(), term.account_info()
    term.at(TUESDAY + HOUR)
    assert term.positions_get() == ()
    term.at(TUESDAY)
    assert (term.positions_get(), term.account_info()) == before


def test_looking_at_prices_does_not_move_the_account() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    term.at(TUESDAY + HOUR)
    assert term.symbol_info_tick("EURUSD").bid == 1.101
    opened = send_at(term, TUESDAY, order("EURUSD", "buy"))
    assert opened.price == 1.1001


SECONDS = 400
WALK = [
    (TUESDAY + 1000 * i, round(1.1 + 0.0003 * ((i * 7919) % 13 - 6), 5), 0.0)
    for i in range(SECONDS)
]
FEEDS = {
    "EURUSD_x": [(t, bid, bid + 0.0001) for t, bid, _ in WALK],
    "GBPUSD_x": [(t + 333, bid + 0.1, bid + 0.1002) for t, bid, _ in WALK],
}
STEP = st.tuples(
    st.integers(0, 20_000),  # time since the step before
    st.sampled_from(["EURUSD", "GBPUSD"]),
    st.sampled_from(["buy", "sell", "close", "look"]),
    st.sampled_from([0.0, 0.0005, 0.002]),  # stop distance
)
Step = tuple[int, str, str, float]


def play(term: SimulatedTerminal, steps: list[Step], looks: bool = True) -> list[Any]:
    now, answers = TUESDAY + 1000, []
    for pause, symbol, action, distance in steps:
        now += pause
        term.at(now)
        if action == "look":
            if looks:
                term.account_info()
                term.at(now + 60_000)
                term.positions_get()
        elif action == "close":
            for held in term.positions_get(symbol=symbol)[:1]:
                side = "sell" if held.type == mt5.POSITION_TYPE_BUY else "buy"
                closing = order(symbol, side, held.volume, position=held.ticket)
                answers.append(term.order_send(closing))
        else:
            quote = term.symbol_info_tick(symbol)
            sign = 1 if action == "buy" else -1
            sl = round(quote.bid - sign * distance, 5) if distance else 0.0
            answers.append(term.order_send(order(symbol, action, sl=sl)))
    return answers


def books(term: SimulatedTerminal) -> tuple[Any, ...]:
    term.at(TUESDAY + 1000 * SECONDS)
    everything = term.history_orders_get(0, 2e9), term.history_deals_get(0, 2e9)
    return (*everything, term.positions_get(), term.account_info())


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_the_same_requests_at_the_same_market_times_give_the_same_books(steps: list[Step]) -> None:
    """Reads in between, even of a later time, change nothing."""
    first, second = terminal(FEEDS, Frictions()), terminal(FEEDS, Frictions())
    assert play(first, steps) == play(second, steps, looks=False)
    assert books(first) == books(second)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_the_balance_is_the_sum_of_all_deals(steps: list[Step]) -> None:
    term = terminal(FEEDS, Frictions())
    play(term, steps)
    deals = term.history_deals_get(0, 2e9)
    total = sum(d.profit + d.commission + d.swap for d in deals)
    assert term.account_info().balance == pytest.approx(total, abs=1e-6)
    opened = sum(d.volume for d in deals if d.symbol and d.entry == mt5.DEAL_ENTRY_IN)
    closed = sum(d.volume for d in deals if d.entry == mt5.DEAL_ENTRY_OUT)
    held = sum(p.volume for p in term.positions_get())
    assert opened - closed == pytest.approx(held)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEP, max_size=25), cut=st.integers(0, 25))
def test_a_terminal_rebuilt_from_its_log_goes_on_as_if_it_had_lived(
    steps: list[Step], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("account") / "log"
    lived = terminal(FEEDS, Frictions())
    play(lived, steps)
    first = terminal(FEEDS, Frictions(), log)
    answers = play(first, steps[:cut])
    first.shutdown()
    rebuilt = terminal(FEEDS, Frictions(), log)
    resume = [(sum(s[0] for s in steps[: cut + 1]), *steps[cut][1:])] if steps[cut:] else []
    play(rebuilt, [*resume, *steps[cut + 1 :]])
    assert books(rebuilt) == books(lived)
    assert all(answer.retcode for answer in answers)
    rebuilt.shutdown()


def test_another_market_than_the_log_was_written_on_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    term = terminal({"EURUSD_x": EURUSD}, log=log)
    send_at(term, TUESDAY, order("EURUSD", "buy"))
    term.shutdown()
    with pytest.raises(JournalError, match="record 2"):
        terminal({"EURUSD_x": [(TUESDAY, 1.2, 1.2)]}, log=log)
    with pytest.raises(JournalError, match="record 1"):
        terminal({"EURUSD_x": EURUSD}, log=log, balance=5.0)


def test_the_same_request_twice_is_two_orders() -> None:
    term = terminal({"EURUSD_x": EURUSD})
    tickets = [send_at(term, TUESDAY, order("EURUSD", "buy")).order for _ in range(2)]
    assert len(set(tickets)) == 2
    assert len(term.positions_get()) == 2


def test_two_brokers_symbols_are_told_apart() -> None:
    other = [(TUESDAY, 1.3, 1.3001)]
    term = SimulatedTerminal(market({"EURUSD_a": EURUSD, "EURUSD_b": other}))
    term.at(TUESDAY)
    assert [(i.name, i.path) for i in term.symbols_get()] == [
        ("EURUSD.a", "a\\EURUSD"),
        ("EURUSD.b", "b\\EURUSD"),
    ]
    assert term.symbol_info_tick("EURUSD.b").bid == 1.3
    assert term.symbol_info_tick("EURUSD") is None
    assert term.last_error()[0] == mt5.RES_E_NOT_FOUND
