"""Candles of the traded feeds, gathered while a backtest runs: what its page draws trades on."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TickArray
from execution.order_path.quotes import tape

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Feed = tuple[str, str]

_MINUTE_US = 60_000_000
_STEPS_MIN = (1, 5, 15, 30, 60, 240, 1_440, 10_080)
_MOST = 360  # of one feed on the page, about


class FeedCandles(NamedTuple):
    """Candles of mid of one feed; `time_us` is when each begins, all arrays (n,)."""

    feed: Feed
    step_us: int
    time_us: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats


class Candles:
    """Candles of some feeds; a span's last are those that were open at its end."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds, self._kept = feeds, defaultdict[Feed, list[Floats]](list)

    def add(self, ticks: dict[Feed, list[TickArray]]) -> None:
        """The next ticks of a slice: minutes are kept of them, not they themselves."""
        for feed in self._feeds:
            for part in ticks.get(feed, ()):
                quotes = tape(part)
                mid = (quotes.bid + quotes.ask) / 2
                if len(mid):
                    self._kept[feed].append(_folded(quotes.time_us, mid, mid, mid, mid, _MINUTE_US))

    def candles(self) -> tuple[FeedCandles, ...]:
        """Of every feed with a quote, as long as the page has room for."""
        return tuple(self._of(feed) for feed in self._feeds if self._kept[feed])

    def _of(self, feed: Feed) -> FeedCandles:
        minutes = np.column_stack(self._kept[feed])
        span = minutes[0, -1] - minutes[0, 0]
        steps = [minutes_ * _MINUTE_US for minutes_ in _STEPS_MIN]
        step = next((s for s in steps if span / s <= _MOST), steps[-1])
        time, opened, high, low, close = minutes
        folded = _folded(time.astype(np.int64), opened, high, low, close, step)
        return FeedCandles(feed, step, folded[0].astype(np.int64), *folded[1:])


def _folded(
    time_us: Times, opened: Floats, high: Floats, low: Floats, close: Floats, step_us: int
) -> Floats:
    """Begin, open, high, low and close of each step, (5, n). Microseconds fit into float64."""
    bucket = time_us // step_us
    begins = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[begins[1:], len(bucket)] - 1
    return np.array([
        bucket[begins] * step_us, opened[begins], np.maximum.reduceat(high, begins),
        np.minimum.reduceat(low, begins), close[ends],
    ], np.float64)  # fmt: skip
