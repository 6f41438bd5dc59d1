"""Finds bad prints: single ticks whose price stands alone among those around them.

Two scores must agree. A robust z, the distance from the median of the neighbours in their own
deviations, finds candidates; news moves prices as far, but takes the neighbours along. An
isolation forest, fitted on the day's ticks, then says whether a candidate is alone in all respects
at once: distance, spread, and the jump that is taken back by the next tick.
"""

import numpy as np
import numpy.typing as npt

from quality import thresholds as limit

Array = npt.NDArray[np.float64]
_SAMPLE = 4096
_TREES = 64


def bad_prints(bid: Array, ask: Array) -> npt.NDArray[np.int64]:
    """1 for each tick that both scores flag, else 0; in order of time, shape (n,)."""
    flags = np.zeros(len(bid), np.int64)
    if len(bid) < limit.PRINT_WINDOW * 4:
        return flags
    mid = (bid + ask) / 2
    z = robust_z(mid)
    candidates = np.flatnonzero(z > limit.PRINT_Z)
    if len(candidates):
        scores = isolation(facts(mid, ask - bid, z), candidates)
        flags[candidates[scores > limit.PRINT_FOREST]] = 1
    return flags


def robust_z(mid: Array) -> Array:
    """Distance of each mid from the median of its neighbours, in their usual distance."""
    import pandas as pd

    series = pd.Series(mid)
    around = series.rolling(limit.PRINT_WINDOW, center=True, min_periods=5)
    distance = (series - around.median()).abs()
    usual = 1.4826 * distance.rolling(limit.PRINT_WINDOW * 10, center=True, min_periods=5).median()
    floor = max(float(np.median(np.abs(np.diff(mid)))), 1e-9 * float(np.median(mid)), 1e-12)
    return np.asarray(distance / usual.clip(lower=floor), np.float64)


def facts(mid: Array, spread: Array, z: Array) -> Array:
    """What the forest looks at, one row per tick."""
    before = np.abs(np.diff(mid, prepend=mid[0]))
    after = np.abs(np.diff(mid, append=mid[-1]))
    taken_back = np.minimum(before, after)
    moved = before[before > 0]
    scale = max(float(np.median(moved)) if len(moved) else 0.0, 1e-12)
    width = np.abs(spread - np.median(spread)) / max(float(np.median(np.abs(spread))), 1e-12)
    return np.column_stack([np.log1p(z), np.log1p(taken_back / scale), np.log1p(width)])


def isolation(rows: Array, candidates: npt.NDArray[np.int64]) -> Array:
    """How alone each candidate is among the day's ticks: 0.5 is ordinary, towards 1 alone."""
    from sklearn.ensemble import IsolationForest  # takes a second to load, and is rarely needed

    random = np.random.default_rng(7)
    sample = random.choice(len(rows), min(_SAMPLE, len(rows)), replace=False)
    forest = IsolationForest(n_estimators=_TREES, random_state=7).fit(rows[sample])
    return np.asarray(-forest.score_samples(rows[candidates]), np.float64)
