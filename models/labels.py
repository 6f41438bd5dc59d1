"""What a model learns: does the mid move by more than the cost of trading it?

The only place that looks ahead. Works on one feed at a time, so brokers and symbols never mix.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.card import DOWN, FLAT, UP

#: A row without an answer: the data end, or no quote near the horizon.
UNLABELLED = -1

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class LabelRule(NamedTuple):
    """How a later move becomes a class.

    Attributes:
        horizon_us: how far ahead the later mid is taken.
        spreads: the move must exceed this many spreads of the row ...
        commission: ... plus this, in price units.
        tolerance_us: the later row may be this much older than the horizon's end.
        gap_us: a longer silence between two rows is a closed market; nothing is labelled across.
    """

    horizon_us: int
    spreads: float = 1.0
    commission: float = 0.0
    tolerance_us: int = 30_000_000
    gap_us: int = 300_000_000


class Answers(NamedTuple):
    """Class of every row (see UNLABELLED), int8, and the market time at which it is known."""

    label: npt.NDArray[np.int8]
    end_us: Times


def later_rows(time_us: Times, rule: LabelRule) -> Times:
    """Per row of one feed the last row at or before its horizon's end, -1 without one.

    Args:
        time_us: ascending, shape (n,).
    """
    if len(time_us) == 0:
        return np.empty(0, np.int64)
    due = time_us + rule.horizon_us
    later = np.searchsorted(time_us, due, side="right") - 1
    closures = np.cumsum(np.diff(time_us, prepend=time_us[0]) > rule.gap_us)
    known = due <= time_us[-1]
    fresh = time_us[later] >= due - min(rule.tolerance_us, rule.horizon_us - 1)
    same_session = closures[later] == closures
    return np.where(known & fresh & same_session, later, UNLABELLED)


def labels(time_us: Times, mid: Floats, spread: Floats, rule: LabelRule) -> npt.NDArray[np.int8]:
    """Class of every row of one feed: 0 down, 1 flat, 2 up, -1 unlabelled. Shapes (n,)."""
    later = later_rows(time_us, rule)
    move = mid[later] - mid
    cost = np.maximum(spread, 0.0) * rule.spreads + rule.commission
    found = np.where(move > cost, UP, np.where(move < -cost, DOWN, FLAT))
    return np.where(later >= 0, found, UNLABELLED).astype(np.int8)


def labels_by_feed(
    feed: npt.NDArray[np.int32], time_us: Times, mid: Floats, spread: Floats, rule: LabelRule
) -> npt.NDArray[np.int8]:
    """`labels` of several feeds whose rows follow each other feed by feed. Shapes (n,)."""
    result = np.empty(len(feed), np.int8)
    edges = [0, *(np.flatnonzero(np.diff(feed)) + 1).tolist(), len(feed)]
    for start, stop in pairwise(edges):
        rows = slice(start, stop)
        result[rows] = labels(time_us[rows], mid[rows], spread[rows], rule)
    return result


def horizon_answers(
    feed: npt.NDArray[np.int32], time_us: Times, mid: Floats, spread: Floats, rule: LabelRule
) -> Answers:
    """`labels_by_feed`, known when the horizon ends."""
    label = labels_by_feed(feed, time_us, mid, spread, rule)
    return Answers(label, time_us + rule.horizon_us)
