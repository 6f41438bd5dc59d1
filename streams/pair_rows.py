"""Rows of the symbols that pairs strategies look at, side by side as of one moment.

What is remembered is what a later row can still ask for: the last seconds of every feed, and of
each the newest row before them. So a restart, or another cut of the stream, changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.peers import WATERMARK_S
from streams.records import Sampled

_KEPT_S = 8  # more than the watermark, for feeds that come a little late

Float32 = npt.NDArray[np.float32]
FeedKey = tuple[str, str]  # source, symbol


class RecentRows(NamedTuple):
    """Of one feed, in the order of market time: int64 (n,), float32 (n, features)."""

    time_msc: npt.NDArray[np.int64]
    features: Float32


class PairRows:
    """The recent rows of some symbols, whatever their source."""

    def __init__(self, symbols: Collection[str], state: Mapping[FeedKey, RecentRows]) -> None:
        """`state`: what `state` was before a restart."""
        self._symbols, self._feeds = frozenset(symbols), dict(state)

    @property
    def state(self) -> dict[FeedKey, RecentRows]:
        """For the recovery store, by feed."""
        self._forget()
        return dict(self._feeds)

    def observe(self, batches: Iterable[Sampled]) -> None:
        """Take in rows of all feeds up to one moment, before any of them is decided."""
        if not self._symbols:
            return
        self._forget()
        new: dict[FeedKey, list[RecentRows]] = {}
        for one in batches:
            if one.symbol in self._symbols and len(one.time_msc):
                rows = RecentRows(one.time_msc, one.features)
                new.setdefault((one.source, one.symbol), []).append(rows)
        for feed, parts in new.items():
            known = self._feeds.get(feed)
            columns = parts[0].features.shape[1]
            if known is not None and known.features.shape[1] == columns:  # else: of another version
                parts = [known, *parts]
            self._feeds[feed] = _joined(parts)

    def at(
        self, source: str, symbols: Sequence[str], time_msc: npt.NDArray[np.int64], features: int
    ) -> tuple[Float32, Float32]:
        """Of each symbol the newest row as of two seconds before each time.

        Args:
            time_msc: of the rows that are decided, int64 (n,).
            features: how many columns a row has.

        Returns:
            Rows float32 (n, symbols, features), NaN where there is none, and their ages in
            seconds, float32 (n, symbols), inf where there is none.
        """
        rows = np.full((len(time_msc), len(symbols), features), np.nan, np.float32)
        age_s = np.full((len(time_msc), len(symbols)), np.inf, np.float32)
        for place, symbol in enumerate(symbols):
            known = self._feeds.get((source, symbol))
            if known is None:
                continue
            newest = _newest(known, time_msc)
            there = newest >= 0
            rows[there, place] = known.features[newest[there]]
            age_s[there, place] = (time_msc[there] - known.time_msc[newest[there]]) / 1000.0
        return rows, age_s

    def _forget(self) -> None:
        """What no row can ask for any more.

        By the feed's own newest: after state was dealt anew, one may be far ahead of another.
        """
        for feed, rows in self._feeds.items():
            since_msc = (int(rows.time_msc[-1]) // 1000 - _KEPT_S) * 1000
            begin = max(int(rows.time_msc.searchsorted(since_msc)) - 1, 0)
            if begin:
                last = rows.time_msc[begin:].copy(), rows.features[begin:].copy()
                self._feeds[feed] = RecentRows(*last)


def _newest(known: RecentRows, time_msc: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Index of the newest row that each time may see; -1: none."""
    until = (time_msc // 1000 - WATERMARK_S + 1) * 1000
    return known.time_msc.searchsorted(until) - 1


def _joined(parts: Sequence[RecentRows]) -> RecentRows:
    times, features = zip(*parts, strict=True)
    time_msc: npt.NDArray[np.int64] = np.concatenate(times)
    return RecentRows(np.maximum.accumulate(time_msc), np.concatenate(features))
