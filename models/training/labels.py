"""What a model learns: does the mid move by more than the cost of trading it?

The only place that looks ahead. Works on one feed at a time, so brokers and symbols never mix.
The answer is read off the feed's own ticks, the last at or before the moment asked for (an ASOF
join); without ticks the dataset's rows stand for them, a sample a second.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.serving.card import DOWN, FLAT, UP

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
        tolerance_us: the later quote may be this much older than the horizon's end.
        gap_us: a longer silence between two quotes is a closed market; nothing is labelled across.
    """

    horizon_us: int
    spreads: float = 1.0
    commission: float = 0.0
    tolerance_us: int = 30_000_000
    gap_us: int = 300_000_000


class Quotes(NamedTuple):
    """Every quote of one feed, ascending in time; the last of equal times is the newest."""

    time_us: Times
    mid: Floats


class Answers(NamedTuple):
    """Class of every row (see UNLABELLED), int8, and the market time at which it is known."""

    label: npt.NDArray[np.int8]
    end_us: Times


def later_quotes(time_us: Times, quote_us: Times, rule: LabelRule) -> Times:
    """Per moment the last quote at or before its horizon's end, -1 without one.

    Args:
        time_us: moments, shape (n,).
        quote_us: of the same feed, ascending, shape (q,). What lies after the last of them is
            not known, so nothing that was recorded later can change an answer.
    """
    if len(time_us) == 0 or len(quote_us) == 0:
        return np.full(len(time_us), UNLABELLED, np.int64)
    due = time_us + rule.horizon_us
    later = np.searchsorted(quote_us, due, side="right") - 1
    now = np.searchsorted(quote_us, time_us, side="right") - 1
    closures = np.cumsum(np.diff(quote_us, prepend=quote_us[0]) > rule.gap_us)
    known = (due <= quote_us[-1]) & (now >= 0)
    fresh = quote_us[later] >= due - min(rule.tolerance_us, rule.horizon_us - 1)
    same_session = closures[later] == closures[now]
    return np.where(known & fresh & same_session, later, UNLABELLED)


def later_rows(time_us: Times, rule: LabelRule) -> Times:
    """Per row of one feed the last row at or before its horizon's end, -1 without one.

    Args:
        time_us: ascending, shape (n,).
    """
    return later_quotes(time_us, time_us, rule)


def moves(time_us: Times, mid: Floats, rule: LabelRule, quotes: Quotes | None = None) -> Floats:
    """The mid's move over the horizon of every row of one feed, NaN when unknown. Shapes (n,)."""
    path = quotes or Quotes(time_us, mid)
    later = later_quotes(time_us, path.time_us, rule)
    if not len(path.mid):
        return np.full(len(mid), np.nan)
    return np.where(later >= 0, path.mid[later] - mid, np.nan)


def labels(
    time_us: Times, mid: Floats, spread: Floats, rule: LabelRule, quotes: Quotes | None = None
) -> npt.NDArray[np.int8]:
    """Class of every row of one feed: 0 down, 1 flat, 2 up, -1 unlabelled. Shapes (n,)."""
    move = moves(time_us, mid, rule, quotes)
    cost = np.maximum(spread, 0.0) * rule.spreads + rule.commission
    label = np.where(move > cost, UP, np.where(move < -cost, DOWN, FLAT))
    return np.where(np.isfinite(move), label, UNLABELLED).astype(np.int8)


def feeds_apart(
    feed: npt.NDArray[np.int32], quotes: Sequence[Quotes] = ()
) -> Iterator[tuple[slice, Quotes | None]]:
    """The rows of each feed, which follow each other feed by feed, with the feed's quotes."""
    edges = [0, *(np.flatnonzero(np.diff(feed)) + 1).tolist(), len(feed)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield slice(start, stop), quotes[feed[start]] if quotes else None


def moves_by_feed(
    feed: npt.NDArray[np.int32],
    time_us: Times,
    mid: Floats,
    rule: LabelRule,
    quotes: Sequence[Quotes] = (),
) -> Floats:
    """`moves` of several feeds. Shapes (n,)."""
    result = np.empty(len(feed), np.float64)
    for rows, own in feeds_apart(feed, quotes):
        result[rows] = moves(time_us[rows], mid[rows], rule, own)
    return result


def labels_by_feed(
    feed: npt.NDArray[np.int32],
    time_us: Times,
    mid: Floats,
    spread: Floats,
    rule: LabelRule,
    quotes: Sequence[Quotes] = (),
) -> npt.NDArray[np.int8]:
    """`labels` of several feeds. Shapes (n,)."""
    result = np.empty(len(feed), np.int8)
    for rows, own in feeds_apart(feed, quotes):
        result[rows] = labels(time_us[rows], mid[rows], spread[rows], rule, own)
    return result


def horizon_answers(
    feed: npt.NDArray[np.int32],
    time_us: Times,
    mid: Floats,
    spread: Floats,
    rule: LabelRule,
    quotes: Sequence[Quotes] = (),
) -> Answers:
    """`labels_by_feed`, known when the horizon ends."""
    label = labels_by_feed(feed, time_us, mid, spread, rule, quotes)
    return Answers(label, time_us + rule.horizon_us)
