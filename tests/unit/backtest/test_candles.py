"""Candles of a feed, however its ticks came in, and how they are drawn with trades."""

import numpy as np

from backtest.candles import Candles
from backtest.page_tables import earned
from charts.candles import candles, evenly
from core.contracts.tick import TICK
from tests.unit.backtest.trades import MONDAY_US, trade

FEED = "oanda", "EURUSD"
MINUTE_US = 60_000_000


def ticks(count, seed=3, step_s=7):
    random = np.random.default_rng(seed)
    some = np.zeros(count, TICK)
    some["time_msc"] = MONDAY_US // 1000 + np.arange(count) * step_s * 1000
    some["bid"] = 1.1 + np.cumsum(random.normal(0, 1e-5, count))
    some["ask"] = some["bid"] + 2e-5
    return some


def gathered(*parts):
    collected = Candles([FEED, ("oanda", "NZDUSD")])
    for part in parts:
        collected.add({FEED: [part]})
    return collected.candles()


def test_candles_equal_a_loop_over_every_tick_however_they_were_cut():
    some = ticks(1_500)
    (one,) = gathered(some)
    (cut,) = gathered(some[:100], some[100:103], some[103:103], some[103:])
    for whole, pieces in zip(one[2:], cut[2:], strict=True):
        assert whole.tobytes() == pieces.tobytes()
    mid = (some["bid"] + some["ask"]) / 2
    for n, begin in enumerate(one.time_us.tolist()):
        time = some["time_msc"] * 1000
        own = mid[(time >= begin) & (time < begin + one.step_us)]
        assert (one.open[n], one.close[n]) == (own[0], own[-1])
        assert (one.high[n], one.low[n]) == (own.max(), own.min())
    assert one.step_us == MINUTE_US


def test_a_long_span_has_longer_candles():
    (one,) = gathered(ticks(40_000, step_s=30))
    assert one.step_us == 60 * MINUTE_US
    assert len(one.time_us) <= 361


def test_trades_are_drawn_on_them_and_a_title_is_text():
    (one,) = gathered(ticks(1_500))
    drawn = candles(one, [trade(3.0, 0.5), trade(-2.0, 1.0, "sell")], "<b>EURUSD</b>")
    assert "<b>" not in drawn
    assert "&lt;b&gt;EURUSD" in drawn
    assert drawn.startswith("<svg")
    assert "var(--accent)" in drawn
    assert "var(--balance)" in drawn
    many = [trade(1.0, n / 100) for n in range(1_000)]
    assert len(evenly(many)) == 300
    assert (evenly(many)[0], evenly(many)[-1]) == (many[0], many[-1])
    assert candles(one, [], "EURUSD").startswith("<svg")


def test_profit_is_told_by_strategy_and_symbol():
    some = [
        trade(5.0, 1, strategy="a"), trade(-2.0, 2, strategy="a"),
        trade(9.0, 3, strategy="b"), trade(1.0, 4, strategy="a", symbol="NZDUSD"),
    ]  # fmt: skip
    rows = earned(some)
    assert [(row.strategy, row.symbol, row.net) for row in rows] == [
        ("a", "EURUSD", 3.0), ("a", "NZDUSD", 1.0), ("b", "EURUSD", 9.0),
    ]  # fmt: skip
    assert (rows[0].trades, rows[0].won) == (2, 1)
    assert sum(row.net for row in rows) == sum(t.net for t in some)
