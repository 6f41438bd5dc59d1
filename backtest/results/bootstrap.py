"""Intervals for figures of rows that overlap in time: whole blocks are drawn again, not rows.

The block bootstrap of H. R. Kuensch (Annals of Statistics 17, 1989), with blocks that do not
overlap (E. Carlstein, Annals of Statistics 14, 1986): rows that share most of their answer stay
together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]


class Interval(NamedTuple):
    """A figure with its 95 % interval; NaN where the rows cannot give it."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high


def interval(
    figure: Callable[[Rows], float | None],
    time_us: Times,
    block_us: int,
    *,
    draws: int = 150,
    seed: int = 7,
) -> Interval:
    """A figure of all rows, and where it lies in 95 % of the drawn samples.

    Args:
        figure: of row numbers, which may repeat; None when they cannot give it.
        time_us: of each row, ascending, shape (n,).
        block_us: length of a block in market time.
    """
    all_rows = figure(np.arange(len(time_us)))
    if all_rows is None or not len(time_us):
        return Interval(np.nan, np.nan, np.nan)
    block = time_us // block_us
    starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    ends = np.r_[starts[1:], len(time_us)]
    random, values = np.random.default_rng(seed), []
    for _ in range(draws):
        drawn = random.integers(0, len(starts), len(starts))
        rows = np.concatenate([np.arange(starts[b], ends[b]) for b in drawn])
        value = figure(rows)
        if value is not None:
            values.append(value)
    if len(values) < draws // 2:
        return Interval(all_rows, np.nan, np.nan)
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(all_rows), float(low), float(high))


def blocks(time_us: Times, block_us: int) -> int:
    """How many blocks there are: the sample's real size, about."""
    return len(np.unique(time_us // block_us))
