"""What prices a risk figure is made of: the last mid of each minute, of all feeds on one grid.

A minute's mid is (bid + ask) / 2 of its last tick, by market time, as in `bar`. A minute in which
no feed quoted (a weekend) is no row; a feed that did not quote in a minute keeps its mid
("previous tick", Dacorogna et al., An Introduction to High-Frequency Finance, 2001, section
2.1.2). So returns are of traded minutes, and the same ticks give the same grid however they are
cut into batches.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import OUT_OF_ORDER, TickArray
from risk.exposure import Feed

Floats = npt.NDArray[np.float64]
MINUTE_US = 60_000_000


class Moment(NamedTuple):
    """Prices as of a market time, and whether a minute has ended with it.

    `mids`, `spreads`: newest of each feed before `ts_us`. `closed`: the grid has a new row since
    the moment before.
    """

    ts_us: int
    mids: dict[Feed, float]
    spreads: dict[Feed, float]
    closed: bool


class History(NamedTuple):
    """Mids of minutes, newest last: `mids` of shape (n, feeds), NaN before a feed's first."""

    feeds: tuple[Feed, ...]
    mids: Floats

    @property
    def returns(self) -> Floats:
        """Logarithmic returns, shape (n - 1, feeds), NaN where a feed has none."""
        return np.diff(np.log(self.mids), axis=0)


class Minutes:
    """A fold over ticks. Feed what came, then ask for the moments until a market time."""

    def __init__(self, window: int, every_us: int) -> None:
        """An empty grid.

        Args:
            window: minutes kept.
            every_us: distance of moments; whole parts of a minute.

        Raises:
            ValueError: a minute is no multiple of `every_us`.
        """
        if every_us <= 0 or MINUTE_US % every_us:
            raise ValueError(f"moments {every_us} us apart do not divide a minute")
        self._window, self._every_us = window, every_us
        self._feeds: tuple[Feed, ...] = ()
        self._grid = np.empty((2 * window + 2, 0))  # so rows move up once in a window only
        self._used = 0
        self._pending: dict[int, dict[Feed, tuple[float, float]]] = {}
        self._mids: dict[Feed, float] = {}
        self._spreads: dict[Feed, float] = {}
        self._open = -1  # the minute that has quotes and no row yet
        self._until = -1  # buckets before this one are done

    def feed(self, source: str, symbol: str, ticks: TickArray) -> int:
        """Take ticks in order, dtype TICK, shape (n,); the newest market time among them, us.

        Late ones, and those of moments that are past, change nothing.
        """
        good = (ticks["bid"] > 0) & (ticks["ask"] > 0) & ((ticks["quality"] & OUT_OF_ORDER) == 0)
        ticks = ticks[good]
        if not len(ticks):
            return 0
        buckets = ticks["time_msc"] * 1000 // self._every_us
        last = np.append(np.flatnonzero(np.diff(buckets)), len(buckets) - 1)
        bid, ask = ticks["bid"][last], ticks["ask"][last]
        quotes = zip(((bid + ask) / 2).tolist(), np.abs(ask - bid).tolist(), strict=True)
        for bucket, quote in zip(buckets[last].tolist(), quotes, strict=True):
            if bucket >= self._until:
                self._pending.setdefault(bucket, {})[source, symbol] = quote
        return int(ticks["time_msc"][-1]) * 1000

    def until(self, now_us: int) -> Iterator[Moment]:
        """The moments up to a market time at which any feed had quoted anew, in order.

        All that quoted before must have been fed; what is fed later counts as late.
        """
        end = now_us // self._every_us
        for bucket in sorted(b for b in self._pending if b < end):
            yield from self._advance(bucket)
        self._until = max(self._until, end)
        if self._open >= 0 and (self._open + 1) * MINUTE_US <= now_us:
            yield self._close()

    def _advance(self, bucket: int) -> Iterator[Moment]:
        self._until = bucket + 1
        minute = bucket * self._every_us // MINUTE_US
        if 0 <= self._open < minute:
            yield self._close()
        self._open = minute
        quotes = self._pending.pop(bucket)
        self._mids = self._mids | {feed: mid for feed, (mid, _) in quotes.items()}
        self._spreads = self._spreads | {feed: spread for feed, (_, spread) in quotes.items()}
        ts_us = (bucket + 1) * self._every_us
        if ts_us % MINUTE_US:
            yield Moment(ts_us, self._mids, self._spreads, closed=False)
        else:
            yield self._close()

    def _close(self) -> Moment:
        ts_us = (self._open + 1) * MINUTE_US
        self._open = -1
        self.append(self._mids)
        return Moment(ts_us, self._mids, self._spreads, closed=True)

    def append(self, mids: dict[Feed, float]) -> None:
        """One more minute; to warm up from stored bars too."""
        self._mids = {**self._mids, **mids}
        self._widen()
        if self._used == len(self._grid):
            self._used = self._window
            self._grid[: self._used] = self._grid[-self._used :].copy()
        self._grid[self._used] = [self._mids[feed] for feed in self._feeds]
        self._used += 1

    @property
    def history(self) -> History:
        """All feeds that ever quoted, in their order by name."""
        self._widen()
        rows = self._grid[max(self._used - self._window - 1, 0) : self._used]
        return History(self._feeds, rows.copy())

    def _widen(self) -> None:
        """A column for each feed that is new."""
        if len(self._mids) == len(self._feeds):
            return
        feeds = tuple(sorted(self._mids))
        grid = np.full((len(self._grid), len(feeds)), np.nan)
        grid[:, [feeds.index(feed) for feed in self._feeds]] = self._grid
        self._feeds, self._grid = feeds, grid
