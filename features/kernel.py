"""Ticks to feature rows: one compiled function that stream, history, training and replay share.

Everything the compiler freezes stands in this file: numba's cache notices a change of this file
only, so a constant or function of another module could go stale. The families are small
functions that the compiler inlines. No fast-math: the same ticks give the same bits however
they are cut into batches. Two processes that start together may both compile; each writes the
cache by renaming complete files, so the loser only did work for nothing.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import from_dtype, njit, types

from core.contracts.tick import TICK, TickArray
from features.catalog import NAMES
from features.state import STATE, StateArray

# Frozen at compile time. The windows belong to the marks of the state, in this order.
_MASK = 4095
_COLUMNS = 24
_OUT_OF_ORDER = 8
_S1, _S5, _S10, _S15, _S30, _S60, _S300 = range(7)
_WINDOW_SLOTS = (10, 50, 100, 150, 300, 600, 3000)
_BP = 1e4
_SPREAD_LIMIT = 1_000_000  # 1,000 bp in 1e-3 bp: keeps the sums of squares within 63 bits
_SQUARE_LIMIT = 1e15

#: A division by zero gives inf, as in NumPy, instead of costing a check; every divisor is guarded.
_inlined = njit(error_model="numpy")

assert len(NAMES) == _COLUMNS


@_inlined
def _rsi(s: Any, close: float, previous: float, change: int) -> None:
    """Wilder's index. `change` counts price changes from 1; 14 of them seed the averages."""
    gain = max(close - previous, 0.0)
    loss = max(previous - close, 0.0)
    if change <= 14:
        s.average_gain += gain
        s.average_loss += loss
        if change == 14:
            s.average_gain /= 14.0
            s.average_loss /= 14.0
    else:
        s.average_gain = (s.average_gain * 13.0 + gain) / 14.0
        s.average_loss = (s.average_loss * 13.0 + loss) / 14.0
    both = s.average_gain + s.average_loss
    s.rsi = 100.0 * (s.average_gain / both) if both >= 1e-14 else 0.0


@_inlined
def _mean_of_closes(s: Any, bar: int, count: int) -> float:
    """Mean of the `count` closes that end with bar number `bar`, oldest first."""
    total = 0.0
    for n in range(bar - count + 1, bar + 1):
        total += s.closes[n % 26]
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
def _averages(s: Any, close: float, bar: int) -> None:
    if bar < 19:
        return
    s.sma_20 = _mean_of_closes(s, bar, 20)
    s.ema_20 = s.sma_20 if bar == 19 else s.ema_20 + (close - s.ema_20) * (2.0 / 21.0)
    squares = 0.0
    for n in range(bar - 19, bar + 1):
        squares += (s.closes[n % 26] - s.sma_20) ** 2
    s.deviation = math.sqrt(squares / 20.0)


@_inlined
def _close_bar(s: Any, close: float) -> None:
    bar = s.bars
    previous = s.closes[(bar - 1) % 26]
    s.closes[bar % 26] = close
    if bar > 0:
        _rsi(s, close, previous, bar)
    _macd(s, close, bar)
    _averages(s, close, bar)
    s.bars = bar + 1


@_inlined
def _open_minute(s: Any, minute: int) -> None:
    if s.minute >= 0:
        _close_bar(s, s.mid)
    s.minute = minute
    angle = (minute % 1440) * (2.0 * math.pi / 1440.0)
    s.time_sin = math.sin(angle)
    s.time_cos = math.cos(angle)


@_inlined
def _open_second(s: Any, second: int) -> None:
    if s.second >= 0:
        move = (s.log_mid - s.second_log_mid) * _BP
        s.squares += int(min(move * move * 1e6, _SQUARE_LIMIT) + 0.5)
        s.second_log_mid = s.log_mid
    s.second = second


@_inlined
def _open_slot(s: Any, slot: int) -> None:
    """Keep the counters as the last slot left them, then move each window's reference up."""
    head = s.head
    slots = s.ring_slot
    if s.slot >= 0:
        at = head & _MASK
        slots[at] = s.slot
        s.ring_log_mid[at] = s.log_mid
        kept = s.ring[at]
        kept[0] = s.ticks
        kept[1] = s.net
        kept[2] = s.squares
        kept[3] = s.spreads
        kept[4] = s.spread_squares
        head += 1
        s.head = head
    s.slot = slot
    slots[head & _MASK] = slot  # never due, so it ends the search
    for w in range(7):
        due = slot - _WINDOW_SLOTS[w]
        mark = s.marks[w] + 1
        mark += slots[mark & _MASK] <= due  # two steps without a branch: it would be a coin toss
        mark += slots[mark & _MASK] <= due
        while slots[mark & _MASK] <= due:
            mark += 1
        s.marks[w] = mark - 1


@_inlined
def _count(s: Any, mid: float, spread_bp: float) -> None:
    log_mid = math.log(mid)
    if s.ticks == 0:
        s.second_log_mid = log_mid
    elif mid > s.mid:
        s.net += 1
    elif mid < s.mid:
        s.net -= 1
    spread = math.floor(spread_bp * 1e3 + 0.5)
    spread = min(max(spread, -_SPREAD_LIMIT), _SPREAD_LIMIT)
    s.ticks += 1
    s.spreads += spread
    s.spread_squares += spread * spread
    s.mid = mid
    s.log_mid = log_mid


@_inlined
def _write_bars(s: Any, mid: float, row: Any) -> None:
    bp = _BP / mid
    row[0] = s.rsi if s.bars >= 15 else math.nan
    row[1] = s.macd * bp if s.bars >= 26 else math.nan
    row[2] = s.macd_signal * bp if s.bars >= 34 else math.nan
    row[3] = (s.macd - s.macd_signal) * bp if s.bars >= 34 else math.nan
    if s.bars < 20:
        row[4:8] = math.nan
        return
    away = mid - s.sma_20
    width = 4.0 * s.deviation
    row[4] = away * bp
    row[5] = (mid - s.ema_20) * bp
    row[6] = 0.5 + away / width if width > 0.0 else 0.5
    row[7] = width * bp


@_inlined
def _return(s: Any, window: int) -> float:
    mark = s.marks[window]
    return (s.log_mid - s.ring_log_mid[mark & _MASK]) * _BP if mark >= 0 else math.nan


@_inlined
def _volatility(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0:
        return math.nan
    return math.sqrt((s.squares - s.ring[mark & _MASK, 2]) * 1e-6)


@_inlined
def _imbalance(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    return float(s.net - then[1]) / float(s.ticks - then[0])


@_inlined
def _rate(s: Any, window: int, seconds: float) -> float:
    mark = s.marks[window]
    return (s.ticks - s.ring[mark & _MASK, 0]) / seconds if mark >= 0 else math.nan


@_inlined
def _spread_z(s: Any, spread_bp: float) -> float:
    mark = s.marks[_S300]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    ticks = float(s.ticks - then[0])
    mean = (s.spreads - then[3]) / ticks
    variance = (s.spread_squares - then[4]) / ticks - mean * mean
    return (spread_bp * 1e3 - mean) / math.sqrt(variance) if variance > 1e-6 else 0.0


@_inlined
def _write_windows(s: Any, spread_bp: float, row: Any) -> None:
    row[8] = _return(s, _S1)
    row[9] = _return(s, _S5)
    row[10] = _return(s, _S15)
    row[11] = _return(s, _S30)
    row[12] = _return(s, _S60)
    row[13] = _return(s, _S300)
    row[14] = _volatility(s, _S60)
    row[15] = _volatility(s, _S300)
    row[16] = spread_bp
    row[17] = _spread_z(s, spread_bp)
    row[18] = _imbalance(s, _S15)
    row[19] = _imbalance(s, _S60)
    row[20] = _rate(s, _S10, 10.0)
    row[21] = _rate(s, _S60, 60.0)
    row[22] = s.time_sin
    row[23] = s.time_cos


@_inlined
def _move_clock(s: Any, time_msc: int) -> None:
    s.time_msc = time_msc
    slot = time_msc // 100
    if slot == s.slot:
        return
    if slot // 10 != s.second:
        _open_second(s, slot // 10)
        if slot // 600 != s.minute:
            _open_minute(s, slot // 600)
    _open_slot(s, slot)


def _update(
    state: StateArray,
    ticks: TickArray,
    sample_ms: int,
    out: npt.NDArray[np.float32],
    out_index: npt.NDArray[np.int64],
) -> int:
    if out.shape[0] < ticks.shape[0] or out_index.shape[0] < ticks.shape[0]:
        raise ValueError("feature kernel: out and out_index need as many rows as there are ticks")
    if out.shape[1] != _COLUMNS:
        raise ValueError("feature kernel: out needs one column per feature of the catalogue")
    s = state[0]
    rows = 0
    for n in range(ticks.shape[0]):
        tick = ticks[n]
        late = (tick.quality & _OUT_OF_ORDER) != 0 or tick.time_msc < s.time_msc
        if late or not (tick.bid > 0.0 and tick.ask > 0.0):
            continue
        mid = (tick.bid + tick.ask) / 2.0
        spread_bp = (tick.ask - tick.bid) / mid * _BP
        _move_clock(s, tick.time_msc)
        _count(s, mid, spread_bp)
        if sample_ms > 0:
            if tick.time_msc < s.span_end:
                continue
            s.span_end = (tick.time_msc // sample_ms + 1) * sample_ms
        _write_bars(s, mid, out[rows])
        _write_windows(s, spread_bp, out[rows])
        out_index[rows] = n
        rows += 1
    return rows


def _compile() -> Callable[..., int]:
    """Compile, or load from numba's cache; without a writable place, compile for this process."""
    signature = types.int64(
        types.Array(from_dtype(STATE), 1, "C"),
        types.Array(from_dtype(TICK), 1, "A", readonly=True),
        types.int64,
        types.Array(types.float32, 2, "C"),
        types.Array(types.int64, 1, "C"),
    )
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(signature, cache=True, **options)(_update)  # type: ignore[no-any-return]
    except RuntimeError:  # numba: "no locator available"
        return njit(signature, **options)(_update)  # type: ignore[no-any-return]


#: update(state, ticks, sample_ms, out float32 [>=n, 24], out_index int64 [>=n]) -> rows written.
#: Takes ticks (dtype TICK) in order and writes a row for the first tick of each span of
#: `sample_ms` of market time (every tick when 0): `out_index` is that tick's place in `ticks`.
#: Skipped: ticks marked OUT_OF_ORDER or earlier than the last, and prices that are not positive.
update: Callable[..., int] = _compile()


def features_of(
    state: StateArray, ticks: TickArray, sample_ms: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Feature rows of consecutive ticks of one feed; `state` moves on.

    Returns:
        rows, float32 [k, 24] in catalogue order, and the place of each row's tick, int64 [k].
    """
    out = np.empty((len(ticks), _COLUMNS), np.float32)
    index = np.empty(len(ticks), np.int64)
    rows = update(state, ticks, sample_ms, out, index)
    if rows < len(ticks) // 2:  # do not keep a mostly unused buffer alive
        return out[:rows].copy(), index[:rows].copy()
    return out[:rows], index[:rows]
