"""Where recorded time is cut into slices: by count, from the time columns alone.

The cuts depend on the files, `max_ticks` and the training cut and on nothing else, so a
collector that died reads the same slices again. Times are streamed: memory is bounded by
`max_ticks` and one chunk per feed, plus a few numbers per slice.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adapters.simulator.markets.tape import Times, reached


class Cut(NamedTuple):
    """One slice: the market time it reaches and its rows in every feed."""

    end_msc: int
    starts: tuple[int, ...]  # first row per feed
    counts: tuple[int, ...]  # rows per feed


class _Ahead:
    """Market time reached by the rows of one feed that no slice has taken yet."""

    def __init__(self, pieces: Iterator[Times]) -> None:
        self._pieces = pieces
        self._reached = 0
        self.row = 0
        self.times: Times = np.zeros(0, np.int64)

    def fill(self, count: int) -> None:
        while len(self.times) <= count:
            piece = next(self._pieces, None)
            if piece is None:
                return
            times = reached(piece, self._reached)
            self._reached = int(times[-1]) if len(times) else self._reached
            self.times = np.concatenate([self.times, times])

    def take(self, count: int) -> None:
        self.row += count
        self.times = self.times[count:]


def cuts(
    feeds: Sequence[Callable[[], Iterator[Times]]], max_ticks: int, cut_msc: int
) -> Iterator[Cut]:
    """Slices in order. No feed has more than `max_ticks` rows in one; one ends at `cut_msc`.

    Args:
        feeds: for each feed, a function that streams its times in source order.
        max_ticks: most rows of one feed in a slice.
        cut_msc: the training cut; 0 for none. It counts only between first and last tick.
    """
    ahead = [_Ahead(feed()) for feed in feeds]
    end = 0
    while True:
        for feed in ahead:
            feed.fill(max_ticks)
        waiting = [feed for feed in ahead if len(feed.times)]
        if not waiting:
            return
        first = min(int(feed.times[0]) for feed in waiting)
        before_cut = end < cut_msc and (end > 0 or first <= cut_msc)
        at_cut = end == cut_msc and first <= cut_msc
        end = _end(waiting, max_ticks, max(end, first))
        if before_cut or at_cut:
            end = min(end, cut_msc)
        counts = tuple(
            min(int(np.searchsorted(feed.times, end, side="right")), max_ticks) for feed in ahead
        )
        yield Cut(end, tuple(feed.row for feed in ahead), counts)
        for feed, count in zip(ahead, counts, strict=True):
            feed.take(count)


def _end(waiting: Sequence[_Ahead], max_ticks: int, least: int) -> int:
    full = [int(feed.times[max_ticks]) - 1 for feed in waiting if len(feed.times) > max_ticks]
    end = min(full) if full else max(int(feed.times[-1]) for feed in waiting)
    # more rows than fit reach no later time (late rows, or one crowded millisecond): cut by count
    return max(end, least)
