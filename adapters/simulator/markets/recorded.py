"""A recorded market: tick files merged by time into slices, and a tape per feed for matching.

Feeding and matching read the files with a cursor each. Both go forward chunk by chunk and keep
a chunk or two; going back (a restarted collector, a rebuilt account) starts at a chunk already
seen.
"""

import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adapters.mt5.protocol.recorded_market import MarketSlice
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets import slices, tickfile
from adapters.simulator.markets.tape import Quote, Segment, Tape, Ticks, segment
from adapters.simulator.markets.tickfile import MarketFile
from core.errors import InputError

MAX_TICKS = 32_768


class RecordedMarket:
    """Tick files as a market: slices for the collector, tapes for matching.

    Raises:
        InputError: two files for one source and symbol.
    """

    #: Time is given by the caller.
    live = False

    def __init__(
        self, files: Sequence[MarketFile], max_ticks: int = MAX_TICKS, cut_msc: int = 0
    ) -> None:
        self._files: dict[tuple[str, str], MarketFile] = {}
        for file in files:
            other = self._files.setdefault((file.source, file.symbol), file)
            if other is not file:
                problem = f"{file.source} {file.symbol} is already in {other.path}; give one file"
                raise InputError(file.path, problem)
        self._feeds = tuple(self._files)
        self._cut_msc = cut_msc
        self._coming = slices.cuts(
            [lambda f=file: tickfile.times(f) for file in self._files.values()],  # type: ignore[misc]
            max_ticks,
            cut_msc,
        )
        self._cuts: list[slices.Cut] = []
        self._rows = {feed: _Rows(file) for feed, file in self._files.items()}
        self._tapes = {feed: RecordedTape(file) for feed, file in self._files.items()}

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """All (source, symbol), in the order of the files."""
        return self._feeds

    def slice(self, number: int) -> MarketSlice | None:
        """The slice `number` (from 1); None when there is none."""
        self._plan(number + 1)
        if not 1 <= number <= len(self._cuts):
            return None
        end = self._cuts[number - 1].end_msc
        return MarketSlice(number, end, end <= self._cut_msc, number == len(self._cuts))

    def slice_ticks(self, number: int, source: str, symbol: str) -> Ticks:
        """Ticks of one feed in one slice, in source order, dtype MT5_TICK, shape (n,)."""
        self._plan(number)
        if (source, symbol) not in self._files or not 1 <= number <= len(self._cuts):
            return np.zeros(0, MT5_TICK)
        cut = self._cuts[number - 1]
        feed = self._feeds.index((source, symbol))
        return self._rows[source, symbol].read(cut.starts[feed], cut.counts[feed])

    def tape(self, source: str, symbol: str) -> Tape:
        """Where matching looks up quotes of a feed."""
        return self._tapes[source, symbol]

    def _plan(self, number: int) -> None:
        while len(self._cuts) < number:
            cut = next(self._coming, None)
            if cut is None:
                return
            self._cuts.append(cut)


class _Rows:
    """The feeding cursor: rows by position."""

    def __init__(self, file: MarketFile) -> None:
        self._file = file
        self._starts = [0]  # first row of every chunk seen, and of the next
        self._open(0)

    def _open(self, number: int) -> None:
        self._number, self._chunks = number - 1, tickfile.chunks_from(self._file, number)
        self._chunk: Ticks = np.zeros(0, MT5_TICK)

    def read(self, start: int, count: int) -> Ticks:
        number = bisect.bisect_right(self._starts, start) - 1
        if number < self._number:
            self._open(number)
        parts = []
        for chunk, first in self._from_here():
            parts.append(chunk[max(start - first, 0) : max(start + count - first, 0)])
            if first + len(chunk) >= start + count:
                break
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, MT5_TICK), *parts])

    def _from_here(self) -> Iterator[tuple[Ticks, int]]:
        if self._number >= 0:
            yield self._chunk, self._starts[max(self._number, 0)]
        for chunk in self._chunks:
            self._number, self._chunk = self._number + 1, chunk
            first = self._starts[self._number]
            if self._number + 1 == len(self._starts):
                self._starts.append(first + len(chunk))
            yield chunk, first


class _Before(NamedTuple):
    """What a segment needs to know of those before it."""

    reached_msc: int
    quote: Quote | None


class RecordedTape(Tape):
    """The matching cursor: segments are the file's chunks, the two newest are kept."""

    def __init__(self, file: MarketFile) -> None:
        self._file = file
        self._before = [_Before(0, None)]
        self._lasts: list[int] = []  # market time reached by every segment seen
        self._kept: dict[int, Segment] = {}
        self._ended = False
        self._open(0)

    def _open(self, number: int) -> None:
        self._next, self._chunks = number, tickfile.chunks_from(self._file, number)

    def at(self, time_msc: int) -> Segment | None:
        """The first segment that reaches a time; the last one when none does."""
        number = bisect.bisect_left(self._lasts, time_msc)
        if number < len(self._lasts):
            return self._get(number)
        while not self._ended:
            part = self._get(len(self._lasts))
            if part is not None and self._lasts[-1] >= time_msc:
                return part
        return self._get(len(self._lasts) - 1) if self._lasts else None

    def ended(self, time_msc: int) -> bool:
        """Whether the recording is over before a time."""
        self.at(time_msc)
        return self._ended and (not self._lasts or self._lasts[-1] < time_msc)

    def following(self, number: int) -> Segment | None:
        """The segment after `number`; None at the end."""
        return None if self._ended and number + 1 >= len(self._lasts) else self._get(number + 1)

    def before(self, number: int) -> Quote | None:
        """The newest quote before the segment `number`."""
        return self._before[number].quote

    def _get(self, number: int) -> Segment | None:
        if number in self._kept:
            return self._kept[number]
        if number != self._next:
            self._open(number)
        ticks = next(self._chunks, None)
        if ticks is None:
            self._ended = True
            return None
        self._next += 1
        part = segment(number, ticks, self._before[number].reached_msc)
        self._remember(part)
        return part

    def _remember(self, part: Segment) -> None:
        self._kept[part.number] = part
        for old in sorted(self._kept, key=lambda n: abs(n - part.number))[2:]:
            del self._kept[old]
        if part.number == len(self._lasts):
            reached, quote = self._before[part.number]
            if len(part.time):
                quote = part.quote(-1)
            self._lasts.append(int(part.reached[-1]) if len(part.reached) else reached)
            self._before.append(_Before(self._lasts[-1], quote))
