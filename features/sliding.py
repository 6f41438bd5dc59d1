"""Windows of market time over values of ticks, which a defined feature is made of.

A window moves in sixtieths of its length, its slots. Of each slot count, sums, extremes and last
value are kept, and what the closed slots say together is made anew when one closes: nothing runs on
for ever, so nothing drifts, and a gap empties a window. Sums are of distances from the first value
that was seen, so that squares of prices do not cancel.
"""

import math
from typing import Any

import numpy as np

from features.jit import njit

SLOTS = 60
_RING = 64  # a power of two above SLOTS

WINDOW = np.dtype(
    [
        ("seen", "<i8"),  # 0 before the first value
        ("first", "<i8"),  # its slot
        ("slot", "<i8"),  # the open one
        ("anchor", "<f8"),
        ("ids", "<i8", (_RING,)),  # slot n at n % 64
        ("counts", "<f8", (_RING,)),
        ("sums", "<f8", (_RING,)),
        ("squares", "<f8", (_RING,)),
        ("highs", "<f8", (_RING,)),
        ("lows", "<f8", (_RING,)),
        ("lasts", "<f8", (_RING,)),
        ("count", "<f8"),  # of the closed slots together, here and below
        ("sum", "<f8"),
        ("square", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("before", "<f8"),  # the newest value that is as old as the window is long
    ]
)
#: An average that forgets with market time.
AVERAGE = np.dtype([("seen", "<i8"), ("time_msc", "<i8"), ("value", "<f8")])


@njit(error_model="numpy")
def take(w: Any, time_msc: int, value: float, slot_ms: int) -> None:
    """Take in a value; one that is not finite is left out."""
    if not math.isfinite(value):
        return
    slot = time_msc // slot_ms
    if w.seen == 0:
        w.seen, w.first, w.slot, w.anchor = 1, slot, slot, value
        w.ids[:] = -1
        w.high, w.low, w.before = -math.inf, math.inf, value
    elif slot > w.slot:
        w.slot = slot
        _join(w)
    at = slot % _RING
    if w.ids[at] != slot:
        w.ids[at], w.counts[at], w.sums[at], w.squares[at] = slot, 0.0, 0.0, 0.0
        w.highs[at], w.lows[at] = -math.inf, math.inf
    away = value - w.anchor
    w.counts[at] += 1.0
    w.sums[at] += away
    w.squares[at] += away * away
    w.highs[at] = max(w.highs[at], value)
    w.lows[at] = min(w.lows[at], value)
    w.lasts[at] = value


@njit(error_model="numpy")
def _join(w: Any) -> None:
    """What the closed slots say together, the oldest first."""
    w.count, w.sum, w.square, w.high, w.low = 0.0, 0.0, 0.0, -math.inf, math.inf
    newest = -1
    for at in range(_RING):
        if w.ids[at] >= 0 and newest < w.ids[at] <= w.slot - SLOTS:
            newest, w.before = w.ids[at], w.lasts[at]
    for slot in range(w.slot - SLOTS, w.slot):
        at = slot % _RING
        if w.ids[at] == slot:
            w.count += w.counts[at]
            w.sum += w.sums[at]
            w.square += w.squares[at]
            w.high = max(w.high, w.highs[at])
            w.low = min(w.low, w.lows[at])


@njit(error_model="numpy")
def ready(w: Any) -> bool:
    """Whether values reach back as far as the window is long."""
    return bool(w.seen == 1 and w.slot - w.first >= SLOTS)


@njit(error_model="numpy")
def mean(w: Any) -> float:
    """Over the window's ticks."""
    if not ready(w):
        return math.nan
    at = w.slot % _RING
    return float(w.anchor + (w.sum + w.sums[at]) / (w.count + w.counts[at]))


@njit(error_model="numpy")
def deviation(w: Any) -> float:
    """Population standard deviation over the window's ticks."""
    if not ready(w):
        return math.nan
    at = w.slot % _RING
    count = w.count + w.counts[at]
    middle = (w.sum + w.sums[at]) / count
    return math.sqrt(max((w.square + w.squares[at]) / count - middle * middle, 0.0))


@njit(error_model="numpy")
def high(w: Any) -> float:
    """The largest in the window."""
    return float(max(w.high, w.highs[w.slot % _RING])) if ready(w) else math.nan


@njit(error_model="numpy")
def low(w: Any) -> float:
    """The smallest in the window."""
    return float(min(w.low, w.lows[w.slot % _RING])) if ready(w) else math.nan


@njit(error_model="numpy")
def lag(w: Any) -> float:
    """The newest value that is as old as the window is long."""
    return float(w.before) if ready(w) else math.nan


@njit(error_model="numpy")
def ticks(w: Any) -> float:
    """How many are in the window."""
    return float(w.count + w.counts[w.slot % _RING]) if ready(w) else math.nan


@njit(error_model="numpy")
def average(a: Any, time_msc: int, value: float, seconds: float) -> float:
    """An average that has forgotten all but 1/e of a value after so many seconds."""
    if not math.isfinite(value):
        return float(a.value) if a.seen == 1 else math.nan
    if a.seen == 0:
        a.seen, a.value = 1, value
    else:
        a.value += (value - a.value) * -math.expm1((a.time_msc - time_msc) / (1000.0 * seconds))
    a.time_msc = time_msc
    return float(a.value)
