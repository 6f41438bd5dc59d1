"""What closed bars tell: averages, ranges, squeeze and breakout. Compiled into the kernel.

Minute bars are built from ticks, the longer ones from minute bars; a bar closes at the first
tick after it, so nothing of an open bar is ever in an average. Seeds and alignment are TA-Lib's.
"""

import math
from typing import Any

from features.jit import njit

_BP = 1e4
_KEPT = 63  # closed bars are kept at their number modulo 64
_CHANNEL = 20  # bars of channel, squeeze and Bollinger bands
_VOLATILITIES = 30

#: A division by zero gives inf, as in NumPy, instead of costing a check; every divisor is guarded.
_inlined = njit(error_model="numpy")


@_inlined
def _rsi(f: Any, close: float, previous: float, change: int) -> None:
    """Wilder's index. `change` counts price changes from 1; 14 of them seed the averages."""
    gain = max(close - previous, 0.0)
    loss = max(previous - close, 0.0)
    if change <= 14:
        f.average_gain += gain
        f.average_loss += loss
        if change == 14:
            f.average_gain /= 14.0
            f.average_loss /= 14.0
    else:
        f.average_gain = (f.average_gain * 13.0 + gain) / 14.0
        f.average_loss = (f.average_loss * 13.0 + loss) / 14.0
    both = f.average_gain + f.average_loss
    f.rsi = 100.0 * (f.average_gain / both) if both >= 1e-14 else 0.0


@_inlined
def _true_range(f: Any, change: int) -> None:
    true_range = max(f.high, f.close) - min(f.low, f.close)
    if change <= 14:
        f.true_range += true_range
        if change == 14:
            f.true_range /= 14.0
    else:
        f.true_range = (f.true_range * 13.0 + true_range) / 14.0


@_inlined
def _close_frame(f: Any, close: float) -> None:
    """Fold the open bar into the averages; its high and low stay for the caller to read."""
    bar = f.bars
    if bar > 0:
        _true_range(f, bar)
        _rsi(f, close, f.close, bar)
    if bar < 20:
        f.ema_20 += close
        if bar == 19:
            f.ema_20 /= 20.0
    else:
        f.ema_20 += (close - f.ema_20) * (2.0 / 21.0)
    f.close = close
    f.bars = bar + 1


@_inlined
def _reopen(f: Any) -> None:
    f.high, f.low = -math.inf, math.inf


@_inlined
def _widen(f: Any, minute: Any) -> None:
    f.high, f.low = max(f.high, minute.high), min(f.low, minute.low)


@_inlined
def _mean_of_closes(s: Any, bar: int, count: int) -> float:
    """Mean of the `count` closes that end with bar number `bar`, oldest first."""
    total = 0.0
    for n in range(bar - count + 1, bar + 1):
        total += s.closes[n & _KEPT]
    return total / count


@_inlined
def _macd(s: Any, close: float, bar: int) -> None:
    """Both averages start at bar 25, as in TA-Lib: the fast one forgets the first 14 bars."""
    if bar < 25:
        return
    if bar == 25:
        s.ema_12 = _mean_of_closes(s, bar, 12)
        s.ema_26 = _mean_of_closes(s, bar, 26)
    else:
        s.ema_12 += (close - s.ema_12) * (2.0 / 13.0)
        s.ema_26 += (close - s.ema_26) * (2.0 / 27.0)
    s.macd = s.ema_12 - s.ema_26
    if bar <= 33:
        s.macd_signal += s.macd
        if bar == 33:
            s.macd_signal /= 9.0
    else:
        s.macd_signal += (s.macd - s.macd_signal) * (2.0 / 10.0)


@_inlined
def _bands(s: Any, bar: int) -> None:
    s.sma_20 = _mean_of_closes(s, bar, 20)
    squares = 0.0
    for n in range(bar - 19, bar + 1):
        squares += (s.closes[n & _KEPT] - s.sma_20) ** 2
    s.deviation = math.sqrt(squares / 20.0)


@_inlined
def _squeeze(s: Any) -> None:
    """Bollinger's width over Keltner's; history as bits, the newest lowest."""
    keltner = 3.0 * s.m1.true_range
    s.squeeze = 4.0 * s.deviation / keltner if keltner > 0.0 else 1.0
    s.squeezed = ((s.squeezed << 1) | int(s.squeeze < 1.0)) & ((1 << _CHANNEL) - 1)


@_inlined
def _channel(s: Any, bar: int) -> None:
    high, low = -math.inf, math.inf
    for n in range(bar - _CHANNEL + 1, bar + 1):
        high, low = max(high, s.highs[n & _KEPT]), min(low, s.lows[n & _KEPT])
    s.channel_high, s.channel_low = high, low


@_inlined
def _vol_of_vol(s: Any, bar: int) -> None:
    s.volatilities[bar & _KEPT] = math.sqrt((s.squares - s.minute_squares) * 1e-6)
    s.minute_squares = s.squares
    if bar < _VOLATILITIES - 1:
        return
    total = 0.0
    for n in range(bar - _VOLATILITIES + 1, bar + 1):
        total += s.volatilities[n & _KEPT]
    mean, squares = total / _VOLATILITIES, 0.0
    for n in range(bar - _VOLATILITIES + 1, bar + 1):
        squares += (s.volatilities[n & _KEPT] - mean) ** 2
    s.vol_of_vol = math.sqrt(squares / _VOLATILITIES) / mean if mean > 0.0 else 0.0


@_inlined
def close_minute(s: Any, minute: int, close: float, log_close: float) -> None:
    """Close the open minute bar, and the longer bars that end before `minute` begins."""
    bar = s.m1.bars
    s.closes[bar & _KEPT] = close
    s.log_closes[bar & _KEPT] = log_close
    s.highs[bar & _KEPT] = s.m1.high
    s.lows[bar & _KEPT] = s.m1.low
    _close_frame(s.m1, close)
    _macd(s, close, bar)
    _vol_of_vol(s, bar)
    if bar >= _CHANNEL - 1:
        _bands(s, bar)
        _squeeze(s)
        _channel(s, bar)
    _widen(s.m5, s.m1)
    _widen(s.h1, s.m1)
    if minute // 5 != s.minute // 5:
        _close_frame(s.m5, close)
        _reopen(s.m5)
    if minute // 60 != s.minute // 60:
        _close_frame(s.h1, close)
        _reopen(s.h1)
    _reopen(s.m1)


@_inlined
def _share_squeezed(bits: int) -> float:
    count = 0
    for _ in range(_CHANNEL):
        count += bits & 1
        bits >>= 1
    return count / _CHANNEL


@_inlined
def _write_breakout(s: Any, mid: float, row: Any) -> None:
    bars = s.m1.bars
    if bars < _CHANNEL:
        row[35:40] = math.nan
        return
    row[35] = s.squeeze
    width = s.channel_high - s.channel_low
    row[37] = (mid - s.channel_low) / width if width > 0.0 else 0.5
    beyond = max(mid - s.channel_high, 0.0) + min(mid - s.channel_low, 0.0)
    size = beyond / s.m1.true_range if s.m1.true_range > 0.0 else 0.0
    row[38] = size
    if bars < 2 * _CHANNEL - 1:
        row[36] = row[39] = math.nan
        return
    squeezed = _share_squeezed(s.squeezed)
    row[36] = squeezed
    row[39] = abs(size) / (1.0 + abs(size)) * (1.0 + squeezed) / 2.0


@_inlined
def _write_frames(s: Any, mid: float, bp: float, row: Any) -> None:
    row[24] = s.m5.rsi if s.m5.bars >= 15 else math.nan
    row[25] = s.h1.rsi if s.h1.bars >= 15 else math.nan
    row[26] = (mid - s.m5.ema_20) * bp if s.m5.bars >= 20 else math.nan
    row[27] = (mid - s.h1.ema_20) * bp if s.h1.bars >= 20 else math.nan
    row[28] = s.m1.true_range * bp if s.m1.bars >= 15 else math.nan
    row[29] = s.m5.true_range * bp if s.m5.bars >= 15 else math.nan
    row[30] = s.h1.true_range * bp if s.h1.bars >= 15 else math.nan


@_inlined
def _return_of_bars(s: Any, bars: int) -> float:
    if s.m1.bars < bars:
        return math.nan
    return float(s.log_mid - s.log_closes[(s.m1.bars - bars) & _KEPT]) * _BP


@_inlined
def write_bars(s: Any, mid: float, row: Any) -> None:
    """Columns 0 to 7 and 24 to 39 but 34."""
    bp = _BP / mid
    bars = s.m1.bars
    row[0] = s.m1.rsi if bars >= 15 else math.nan
    row[1] = s.macd * bp if bars >= 26 else math.nan
    row[2] = s.macd_signal * bp if bars >= 34 else math.nan
    row[3] = (s.macd - s.macd_signal) * bp if bars >= 34 else math.nan
    if bars < 20:
        row[4:8] = math.nan
    else:
        away = mid - s.sma_20
        width = 4.0 * s.deviation
        row[4] = away * bp
        row[5] = (mid - s.m1.ema_20) * bp
        row[6] = 0.5 + away / width if width > 0.0 else 0.5
        row[7] = width * bp
    _write_frames(s, mid, bp, row)
    row[31] = _return_of_bars(s, 15)
    row[32] = _return_of_bars(s, 60)
    row[33] = s.vol_of_vol if bars >= _VOLATILITIES else math.nan
    _write_breakout(s, mid, row)
