"""Closings that are due: at the horizon by our clock, after a refusal by timer and quotes."""

import numpy as np
import pytest

from core.contracts.tick import TICK
from execution.journal.position import Key, Position
from execution.order_path.exits import Retries
from execution.order_path.quotes import LiveQuotes

KEY = Key("model", "sim", "EURUSD")
NOW_US = 1_700_000_000_000_000
#: Our clock against the market's, in seconds; an exit comes at the same time by any.
AHEAD = (0, 90, -90, 86_400)


class StoppedTimer:
    now_s = 5.0

    def seconds(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Market:
    """Quotes of the market's own time, a timer, and what is due by a clock of ours."""

    def __init__(self, ahead_s: float) -> None:
        self.quotes, self.timer, self.ahead_us = LiveQuotes(), StoppedTimer(), ahead_s * 1e6
        self.retries = Retries(self.quotes, self.timer)
        self.quote(1.10)

    def quote(self, bid: float) -> None:
        tick = np.zeros(1, TICK)
        tick["time_msc"] = NOW_US // 1000 + round(self.timer.now_s * 1000)
        tick["bid"], tick["ask"] = bid, bid + 0.0001
        self.quotes.feed("sim", "EURUSD", tick)

    def due(self, *positions: Position) -> list[tuple[int, str]]:
        now_us = round(NOW_US + self.timer.now_s * 1e6 + self.ahead_us)
        return [(e.position.ticket, e.purpose) for e in self.retries.due(positions, now_us)]


def held(ticket: int, horizon_us: int) -> Position:
    return Position(
        ticket, KEY, 0.1, 1.1, stop_price=1.0, opened_us=NOW_US, order_id="o", signal_id="s",
        horizon_us=horizon_us,
    )  # fmt: skip


def refused(market: Market, attempt: int = 1) -> Position:
    """As the book has it after a refusal that our clock dated."""
    position = held(1, 0)
    at_us = round(NOW_US + market.timer.now_s * 1e6 + market.ahead_us)
    position.refused, position.retry_us = attempt, at_us + 1_000_000
    position.retry_purpose = "flatten"
    return position


@pytest.mark.parametrize("ahead_s", AHEAD)
def test_a_refused_closing_comes_again_a_second_later_at_a_newer_quote(ahead_s: float) -> None:
    market = Market(ahead_s)
    position = refused(market)
    assert market.due(position) == []
    market.timer.sleep(1.0)
    assert market.due(position) == [], "no quote has come since"
    market.quote(1.11)
    assert market.due(position) == [(1, "flatten")]


@pytest.mark.parametrize("ahead_s", AHEAD)
def test_a_quote_alone_is_too_soon_and_each_refusal_waits_anew(ahead_s: float) -> None:
    market = Market(ahead_s)
    position = refused(market)
    market.due(position)
    market.quote(1.11)
    market.timer.sleep(0.9)
    assert market.due(position) == []
    market.timer.sleep(0.1)
    assert market.due(position) == [(1, "flatten")]
    position = refused(market, attempt=2)
    assert market.due(position) == []
    market.timer.sleep(1.0)
    market.quote(1.12)
    assert market.due(position) == [(1, "flatten")]


def test_a_clock_set_back_while_it_waits_delays_nothing() -> None:
    market = Market(0)
    position = refused(market)
    market.due(position)
    market.ahead_us = -3600e6
    market.timer.sleep(1.0)
    market.quote(1.11)
    assert market.due(position) == [(1, "flatten")]


def test_a_horizon_is_of_our_clock_and_what_is_closed_is_forgotten() -> None:
    market = Market(0)
    open_ = held(2, NOW_US + 6_000_000)
    position = refused(market)
    assert market.due(open_, position) == []
    market.timer.sleep(1.0)
    assert market.due(open_, position) == [(2, "horizon")]
    assert market.due(open_) == [(2, "horizon")]
    market.quote(1.11)
    assert market.due(position) == [], "a ticket seen again begins anew"
