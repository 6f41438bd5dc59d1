"""What all trials share: feature rows and quotes of each feed, computed once.

The rows are those that a backtest's own stages make, and the quotes those that its broker fills
from; a trial only decides anew.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tape import Segment, Tape, Ticks, segment
from adapters.simulator.markets.tickfile import MarketFile
from backtest.job import Job
from backtest.run import market_of
from backtest.stages import FeatureStages, SampledSlice
from execution.order_path import quotes
from streams.records import Sampled

Feed = tuple[str, str]
Floats = npt.NDArray[np.float64]


class SharedRows(NamedTuple):
    """One feed's rows at which a strategy decides, in time order."""

    time_msc: npt.NDArray[np.int64]  # (n,)
    mid: Floats
    spread: Floats
    features: npt.NDArray[np.float32]  # (n, features)


class SharedFeed(NamedTuple):
    """One traded feed: its rows, and the quotes that execution checks by."""

    feed: Feed
    rows: SharedRows
    checked: quotes.Tape


class SharedMarket:
    """One pass over a job's ticks. `feeds`: those traded; it is a TapedMarket for the broker."""

    live = False

    def __init__(self, job: Job) -> None:
        market = market_of(job, RememberingMarket)
        assert isinstance(market, RememberingMarket)
        names, stages = market.feeds(), FeatureStages(job.settings, market, job.sampled)
        rows: dict[Feed, list[Sampled]] = {feed: [] for feed in job.traded}
        kept: dict[Feed, list[quotes.Tape]] = {feed: [] for feed in job.traded}
        for part in _slices(stages):
            for feed in job.traded:
                kept[feed] += [quotes.tape(ticks) for ticks in part.ticks[feed]]
            if part.end_msc < job.from_msc:  # these only warm features up
                continue
            for row in part.rows:
                if (row.source, row.symbol) in rows:
                    rows[row.source, row.symbol].append(row)
        self._names, self._tapes = names, {f: WholeTape(market.whole(f)) for f in names}
        self.end_msc = job.to_msc
        self.feeds_traded = [
            SharedFeed(feed, _joined_rows(rows[feed]), _joined(kept[feed])) for feed in job.traded
        ]
        ends = [int(f.rows.time_msc[-1]) for f in self.feeds_traded if len(f.rows.time_msc)]
        begins = [int(f.rows.time_msc[0]) for f in self.feeds_traded if len(f.rows.time_msc)]
        self.span_msc = min(begins, default=0), max(ends, default=0)

    def feeds(self) -> tuple[Feed, ...]:
        """All (source, symbol), converters too."""
        return self._names

    def tape(self, source: str, symbol: str) -> "WholeTape":
        """The quotes of one feed."""
        return self._tapes[source, symbol]


class RememberingMarket(RecordedMarket):
    """A recorded market that keeps the quotes of every slice read from it."""

    def __init__(self, files: Sequence[MarketFile], max_ticks: int, cut_msc: int) -> None:
        super().__init__(files, max_ticks, cut_msc)
        self._read: dict[Feed, list[Ticks]] = {feed: [] for feed in self.feeds()}

    def slice_ticks(self, number: int, source: str, symbol: str) -> Ticks:
        """The market's; each slice is read once."""
        ticks = super().slice_ticks(number, source, symbol)
        self._read[source, symbol].append(ticks[["time_msc", "bid", "ask"]].copy())
        return ticks

    def whole(self, feed: Feed) -> Segment:
        """All quotes of a feed as one segment; its ticks stay out, nobody copies from it."""
        joined = segment(0, np.concatenate(self._read[feed]))
        return joined._replace(ticks=np.zeros(0, MT5_TICK))


class WholeTape(Tape):
    """A feed's quotes as one segment."""

    def __init__(self, whole: Segment) -> None:
        self.whole = whole

    def at(self, time_msc: int) -> Segment:
        """The one segment."""
        return self.whole

    def following(self, number: int) -> None:
        """There is none."""

    def before(self, number: int) -> None:
        """There is none."""

    def ended(self, time_msc: int) -> bool:
        """Whether its last tick was earlier."""
        return not len(self.whole.reached) or int(self.whole.reached[-1]) < time_msc


def _slices(stages: FeatureStages) -> Iterator[SampledSlice]:
    number = 1
    while (part := stages.slice(number)) is not None:
        yield part
        number += 1


def _joined_rows(parts: Sequence[Sampled]) -> SharedRows:
    if not parts:
        empty = np.zeros(0)
        return SharedRows(np.zeros(0, np.int64), empty, empty, np.zeros((0, 0), np.float32))
    return SharedRows(
        time_msc=np.concatenate([p.time_msc for p in parts]),
        mid=np.concatenate([p.mid for p in parts]),
        spread=np.concatenate([p.spread for p in parts]),
        features=_by_columns([p.features for p in parts]),
    )


def _by_columns(parts: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """One after another, each column in one piece: a strategy reads a few, thousands of times."""
    joined = np.empty((sum(map(len, parts)), parts[0].shape[1]), np.float32, order="F")
    return np.concatenate(parts, out=joined)


def _joined(parts: Sequence[quotes.Tape]) -> quotes.Tape:
    return quotes.Tape(*(np.concatenate(column) for column in zip(*parts, strict=True)))
