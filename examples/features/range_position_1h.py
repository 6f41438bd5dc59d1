"""Where the mid stands between the lowest and the highest of the last sixty closed minutes."""

import math
from typing import Any

from tickhouse import OwnFeature

FEATURE = OwnFeature(
    name="range_position_1h",  # the file's name
    unit="0 at the low, 1 at the high",
    definition="mid's place between lowest and highest mid of the last 60 closed minutes with a"
    " tick; 0.5 without a range",
    warm_up_s=3_900.0,  # sixty minutes, and a few without a tick
    state=(
        ("minute", "i8"),  # of the open bar, counted from 1970
        ("bars", "i8"),  # closed
        ("high", "f8"),  # of the open bar
        ("low", "f8"),
        ("highs", "f8", (60,)),  # bar n at n % 60
        ("lows", "f8", (60,)),
    ),
)


def update(state: Any, ticks: Any, out: Any) -> None:
    """Fold ticks of one feed, in order, and write a value for each; compiled by numba.

    `ticks` have time_msc, bid, ask, last, volume and flags. What must be remembered stands in
    `state`: the next ticks may come in this call, in the next, or after a restart.
    """
    for n in range(len(ticks)):
        mid = (ticks[n].bid + ticks[n].ask) / 2.0
        minute = ticks[n].time_msc // 60_000
        if minute != state.minute:
            if state.minute > 0:
                state.highs[state.bars % 60] = state.high
                state.lows[state.bars % 60] = state.low
                state.bars += 1
            state.minute = minute
            state.high = mid
            state.low = mid
        state.high = max(state.high, mid)
        state.low = min(state.low, mid)
        if state.bars < 60:
            out[n] = math.nan
            continue
        high, low = state.highs.max(), state.lows.min()
        out[n] = (mid - low) / (high - low) if high > low else 0.5
