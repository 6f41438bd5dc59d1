"""Probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

D. H. Bailey, J. Borwein, M. Lopez de Prado and Q. J. Zhu, "The Probability of Backtest
Overfitting", J. Computational Finance 20 (2017): the span is cut into an even number of blocks;
for every choice of half of them the trial that was best there is looked up in the other half. How
often it ranks below the median of all trials is the probability that choosing the best chose luck.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]

_MOST_BLOCKS, _LEAST_BLOCKS, _LEAST_PERIODS = 16, 4, 4


class Overfitting(NamedTuple):
    """What the cross-validation says.

    Attributes:
        probability: share of splits in which the best of one half was below the other's median.
        loss: share of splits in which the best of one half lost money in the other.
        blocks, splits, trials: how it was made.
    """

    probability: float
    loss: float
    blocks: int
    splits: int
    trials: int


def overfitting(returns: Floats) -> Overfitting | None:
    """Of all trials' returns, (periods, trials); None when they are too few for it.

    Trials that never earned nor lost anything are left out: ranking them says nothing.
    """
    moving = returns[:, returns.std(axis=0) > 0]
    count = min(_MOST_BLOCKS, len(moving) // _LEAST_PERIODS) // 2 * 2
    if count < _LEAST_BLOCKS or moving.shape[1] < 2:
        return None
    blocks = np.array_split(moving, count)
    sums = np.array([block.sum(axis=0) for block in blocks])
    squares = np.array([(block**2).sum(axis=0) for block in blocks])
    lengths = np.array([len(block) for block in blocks], np.float64)
    chosen = _halves(count)
    inside = _ratios(chosen @ sums, chosen @ squares, chosen @ lengths)
    rest = 1.0 - chosen
    outside = _ratios(rest @ sums, rest @ squares, rest @ lengths)
    best, every = inside.argmax(axis=1), np.arange(len(chosen))
    ranks = rankdata(outside, axis=1)[every, best]
    # The logit of rank / (N + 1) is at or below 0 where the rank is at or below (N + 1) / 2.
    below = ranks <= (moving.shape[1] + 1) / 2
    lost = (rest @ sums)[every, best] < 0
    return Overfitting(
        float(below.mean()), float(lost.mean()), count, len(chosen), moving.shape[1]
    )  # fmt: skip


def _halves(count: int) -> Floats:
    """Every choice of half of the blocks as rows of 0 and 1, (choices, count)."""
    picks = list(combinations(range(count), count // 2))
    chosen = np.zeros((len(picks), count))
    chosen[np.arange(len(picks))[:, None], picks] = 1.0
    return chosen


def _ratios(sums: Floats, squares: Floats, lengths: Floats) -> Floats:
    """Mean over deviation per period; 0 where nothing varies."""
    mean = sums / lengths[:, None]
    deviation = np.sqrt(np.maximum(squares / lengths[:, None] - mean**2, 0.0))
    return np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 1e-15)
