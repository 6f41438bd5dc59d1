"""The columns of closed bars against TA-Lib and pandas, on recorded ticks."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import talib

from core.contracts.tick import TICK, TickArray
from features.catalog import NAMES
from features.kernel import features_of
from features.state import new_state
from tests.support.recordings import recorded_ticks

MINUTE = 60_000


@cache
def recorded() -> tuple[TickArray, npt.NDArray[np.float32]]:
    """Four days of one feed with a row per minute: at the tick that closes the bars before it."""
    ticks = recorded_ticks("EURUSD_oanda")[:150_000]
    rows, index = features_of(new_state(), ticks, MINUTE)
    return ticks[index], rows


def column(name: str) -> npt.NDArray[np.float64]:
    return recorded()[1][:, NAMES.index(name)].astype(np.float64)


@cache
def bars(minutes: int) -> pd.DataFrame:
    """Bars of mid by their number, indexed by the minute in which they begin."""
    ticks = recorded_ticks("EURUSD_oanda")[:150_000]
    mid = pd.Series((ticks["bid"] + ticks["ask"]) / 2)
    result = mid.groupby(ticks["time_msc"] // (minutes * MINUTE)).agg(["max", "min", "last"])
    return result.rename(columns={"max": "high", "min": "low", "last": "close"})


def at_rows(minutes: int, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Per row the value of the last bar that was closed when its tick came."""
    opened = bars(minutes).index.to_numpy()
    own = np.searchsorted(opened, recorded()[0]["time_msc"] // (minutes * MINUTE))
    return np.where(own > 0, values[np.maximum(own - 1, 0)], np.nan)


def mids() -> npt.NDArray[np.float64]:
    ticks = recorded()[0]
    return (ticks["bid"] + ticks["ask"]) / 2


def assert_same(name: str, expected: npt.NDArray[np.float64], least: int) -> None:
    result = column(name)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected), err_msg=name)
    assert np.isfinite(result).sum() > least
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(("minutes", "name"), [(1, ""), (5, "_5m"), (60, "_1h")])
def test_rsi_range_and_average_of_every_frame_equal_talib(minutes: int, name: str) -> None:
    frame, bp = bars(minutes), 1e4 / mids()
    high, low, close = (frame[n].to_numpy() for n in ("high", "low", "close"))
    least = 40
    assert_same(f"rsi_14{name}", at_rows(minutes, talib.RSI(close, 14)), least)
    ranges = at_rows(minutes, talib.ATR(high, low, close, 14))
    assert_same(f"atr_14{name}_bp", ranges * bp, least)
    away = mids() - at_rows(minutes, talib.EMA(close, 20))
    assert_same(f"ema_20{name}_bp", away * bp, least)


@pytest.mark.parametrize("count", [15, 60])
def test_returns_look_back_over_closed_bars(count: int) -> None:
    ago = bars(1)["close"].shift(count - 1).to_numpy()
    assert_same(f"return_{count}m", np.log(mids() / at_rows(1, ago)) * 1e4, 1000)


def test_volatility_of_volatility_is_the_spread_of_minutes_realised() -> None:
    ticks = recorded_ticks("EURUSD_oanda")[:150_000]
    mid = np.log((ticks["bid"] + ticks["ask"]) / 2)
    second = ticks["time_msc"] // 1000
    ends = np.flatnonzero(np.diff(second))  # a second's move counts when the next one begins
    moves = np.diff(np.concatenate([mid[:1], mid[ends]])) * 1e4
    counted_in = ticks["time_msc"][ends + 1] // MINUTE
    closing = ticks["time_msc"][ends] // MINUTE
    # the move that closes with the minute's last second still belongs to that minute
    squares = pd.Series(moves**2).groupby(np.minimum(counted_in, closing)).sum()
    each = np.sqrt(squares.reindex(bars(1).index, fill_value=0.0))
    expected = (each.rolling(30).std(ddof=0) / each.rolling(30).mean()).to_numpy()
    result, wanted = column("vol_of_vol_30m"), at_rows(1, expected)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
    np.testing.assert_allclose(result[60:], wanted[60:], rtol=1e-2, atol=1e-3)


def test_squeeze_and_breakout_follow_their_definitions() -> None:
    frame = bars(1)
    high, low, close = (frame[n].to_numpy() for n in ("high", "low", "close"))
    upper, _, lower = talib.BBANDS(close, 20, 2, 2)
    ranges = talib.ATR(high, low, close, 14)
    ratio = (upper - lower) / (3 * ranges)
    assert_same("squeeze_ratio", at_rows(1, ratio), 1000)
    squeezed = pd.Series(np.where(np.isnan(ratio), np.nan, ratio < 1)).rolling(20).mean().to_numpy()
    assert_same("squeeze_confidence", at_rows(1, squeezed), 1000)
    top = at_rows(1, frame["high"].rolling(20).max().to_numpy())
    bottom = at_rows(1, frame["low"].rolling(20).min().to_numpy())
    assert_same("channel_position", (mids() - bottom) / (top - bottom), 1000)
    beyond = np.maximum(mids() - top, 0) + np.minimum(mids() - bottom, 0)
    size = beyond / at_rows(1, ranges)
    assert_same("breakout", size, 1000)
    confidence = np.abs(size) / (1 + np.abs(size)) * (1 + at_rows(1, squeezed)) / 2
    assert_same("breakout_confidence", confidence, 1000)
    assert (column("breakout_confidence") > 0.1).any()


def test_a_market_that_never_moves_has_defined_values() -> None:
    ticks = np.zeros(4_000, TICK)
    ticks["time_msc"] = np.arange(4_000) * 1000
    ticks["bid"], ticks["ask"] = 1.0, 1.01
    row = dict(zip(NAMES, features_of(new_state(), ticks, 0)[0][-1].tolist(), strict=True))
    assert row["squeeze_ratio"] == row["volatility_ratio"] == 1.0
    assert row["spread_ratio_60s"] == pytest.approx(1.0, abs=1e-4)
    assert row["channel_position"] == 0.5
    assert row["breakout"] == row["vol_of_vol_30m"] == row["atr_14_bp"] == 0.0
