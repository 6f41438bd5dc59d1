"""Ticks to feature rows: one compiled function that stream, history, training and replay share.

The families are small functions that the compiler inlines: those of sliding windows in
`features.windows`, those of closed bars in `features.bars`. No fast-math: the same ticks give
the same bits however they are cut into batches. It knows one feed; the columns that need other
feeds stay NaN until `features.peers` fills them in.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TICK, TickArray
from features.bars import close_minute, write_bars
from features.catalog import NAMES
from features.compiled import compiled, package_stamp
from features.jit import from_dtype, njit, types
from features.state import STATE, StateArray
from features.windows import write_windows

# Frozen at compile time. The windows, of 1 to 300 s, belong to the marks of the state.
_MASK = 4095
_COLUMNS = len(NAMES)
_OUT_OF_ORDER = 8
_WINDOW_SLOTS = (10, 50, 100, 150, 300, 600, 3000)
_BP = 1e4
_SPREAD_LIMIT = 1_000_000  # 1,000 bp in 1e-3 bp: keeps the sums of squares within 63 bits
_SQUARE_LIMIT = 1e15

#: A division by zero gives inf, as in NumPy, instead of costing a check; every divisor is guarded.
_inlined = njit(error_model="numpy")

_BUY, _SELL, _TRADE = 32, 64, 8 | 16 | 32 | 64  # MT5 tick flags
_LOT = 1e6  # volumes are counted in millionths
_VOLUME_LIMIT = 1e12


@_inlined
def _open_minute(s: Any, minute: int) -> None:
    if s.minute >= 0:
        close_minute(s, minute, s.mid, s.log_mid)
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
        kept[5] = s.pressure
        kept[6] = s.moves
        kept[7] = s.signed_volume
        kept[8] = s.volume
        kept[9] = s.trades
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
def _count_moves(s: Any, bid: float, ask: float) -> None:
    rising = int(bid > s.bid) + int(ask > s.ask)
    falling = int(bid < s.bid) + int(ask < s.ask)
    s.pressure += rising - falling
    s.moves += rising + falling


@_inlined
def _count_trade(s: Any, tick: Any, mid: float) -> None:
    """A trade's side is its flag's, else that of its price against mid; at mid it has none."""
    if tick.last <= 0.0 or (tick.flags & _TRADE) == 0:
        return
    side = int((tick.flags & _BUY) != 0) - int((tick.flags & _SELL) != 0)
    if side == 0:
        side = int(tick.last > mid) - int(tick.last < mid)
    lots = int(min(tick.volume * _LOT, _VOLUME_LIMIT) + 0.5)
    s.signed_volume += side * lots
    s.volume += lots
    s.trades += 1


@_inlined
def _count(s: Any, tick: Any, mid: float, spread_bp: float) -> None:
    log_mid = math.log(mid)
    if s.ticks == 0:
        s.second_log_mid = log_mid
    else:
        s.net += int(mid > s.mid) - int(mid < s.mid)
        _count_moves(s, tick.bid, tick.ask)
    if tick.volume > 0.0:
        _count_trade(s, tick, mid)
    s.m1.high = max(s.m1.high, mid)
    s.m1.low = min(s.m1.low, mid)
    spread = math.floor(spread_bp * 1e3 + 0.5)
    spread = min(max(spread, -_SPREAD_LIMIT), _SPREAD_LIMIT)
    s.ticks += 1
    s.spreads += spread
    s.spread_squares += spread * spread
    s.bid, s.ask = tick.bid, tick.ask
    s.mid = mid
    s.log_mid = log_mid


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


def _make_update(stamp: int) -> Callable[..., int]:
    """The kernel. `stamp` is never 0: it only ties the compiler's cache to the whole package."""

    def _update(
        state: StateArray,
        ticks: TickArray,
        sample_ms: int,
        out: npt.NDArray[np.float32],
        out_index: npt.NDArray[np.int64],
    ) -> int:
        if stamp == 0:
            return -1
        if out.shape[0] < ticks.shape[0] or out_index.shape[0] < ticks.shape[0]:
            raise ValueError(
                "feature kernel: out and out_index need as many rows as there are ticks"
            )
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
            _count(s, tick, mid, spread_bp)
            if sample_ms > 0:
                if tick.time_msc < s.span_end:
                    continue
                s.span_end = (tick.time_msc // sample_ms + 1) * sample_ms
            write_bars(s, mid, out[rows])
            write_windows(s, spread_bp, out[rows])
            out_index[rows] = n
            rows += 1
        return rows

    return _update


def _signature() -> Any:
    return types.int64(
        types.Array(from_dtype(STATE), 1, "C"),
        types.Array(from_dtype(TICK), 1, "A", readonly=True),
        types.int64,
        types.Array(types.float32, 2, "C"),
        types.Array(types.int64, 1, "C"),
    )


#: update(state, ticks, sample_ms, out float32 [>=n, F], out_index int64 [>=n]) -> rows written.
#: Takes ticks (dtype TICK) in order and writes a row for the first tick of each span of
#: `sample_ms` of market time (every tick when 0): `out_index` is that tick's place in `ticks`.
#: Skipped: ticks marked OUT_OF_ORDER or earlier than the last, and prices that are not positive.
update: Callable[..., int] = compiled(_signature(), _make_update(package_stamp()))


def features_of(
    state: StateArray, ticks: TickArray, sample_ms: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Feature rows of consecutive ticks of one feed; `state` moves on.

    Returns:
        rows, float32 [k, F] in catalogue order, and the place of each row's tick, int64 [k].
    """
    out = np.empty((len(ticks), _COLUMNS), np.float32)
    index = np.empty(len(ticks), np.int64)
    rows = update(state, ticks, sample_ms, out, index)
    if rows < len(ticks) // 2:  # do not keep a mostly unused buffer alive
        return out[:rows].copy(), index[:rows].copy()
    return out[:rows], index[:rows]
