"""What all trials share: feature rows and quotes of each feed, computed once.

The rows are those that a backtest's own stages make, and the quotes those that its broker fills
from; a trial only decides anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tape import Segment, Tape, Ticks, segment
from adapters.simulator.markets.tickfile import MarketFile
from backtest.job import Job
from backtest.run import market_of
from backtest.stages import FeatureStages, SampledSlice
from core.contracts.tick import TickArray
from core.metrics import Histograms
from execution.order_path import quotes
from models.serving.in_use import Chosen
from streams.pair_rows import PairRows
from streams.predict import ModelInUse
from streams.records import Predicted, Sampled

Feed = tuple[str, str]
Float32 = npt.NDArray[np.float32]
PairedRows = tuple[Float32, Float32]

_BLOCK = 32_768  # rows: fewer pay for more calls, more leave the cache
_COLUMNS = ("time_msc", "seq", "mid", "spread", "features")
_SAID = ("probabilities", "agreement", "veto", "absent", "outside")


class SharedFeed(NamedTuple):
    """One traded feed: the rows at which a strategy decides, and the quotes execution checks by.

    Rows are in time order, in blocks that stay near the processor's cache.
    """

    feed: Feed
    blocks: tuple[Predicted, ...]
    checked: quotes.Tape

    @property
    def time_msc(self) -> npt.NDArray[np.int64]:
        """Of all rows."""
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(block.sampled.time_msc for block in self.blocks)])


class KeptSlice(NamedTuple):
    """One slice: its kept ticks, and the newest row (time_msc, seq) of each traded feed by then."""

    end_msc: int
    ticks: dict[Feed, list[TickArray]]
    rows_until: dict[Feed, tuple[int, int]]


class SharedMarket:
    """One pass over a job's ticks. `feeds`: those traded; it is a TapedMarket for the broker."""

    live = False

    def __init__(self, job: Job, *, keeps_slices: bool = False) -> None:
        """`keeps_slices`: for trials by execution itself, which read every tick again."""
        market = market_of(job, RememberingMarket)
        assert isinstance(market, RememberingMarket)
        names, stages = market.feeds(), FeatureStages(job.settings, market, job.sampled)
        models = job.settings.home_path / "models"
        model = ModelInUse(
            models, Histograms(), Chosen(job.model), named=job.strategies.named_models
        )
        rows: dict[Feed, list[Predicted]] = {feed: [] for feed in job.traded}
        kept: dict[Feed, list[quotes.Tape]] = {feed: [] for feed in job.traded}
        self.pairs = SharedPairs(job)
        self.slices: list[KeptSlice] = []
        until = dict.fromkeys(job.traded, (0, -1))
        for part in _slices(stages):
            self.pairs.observe(part.rows)
            if keeps_slices:
                until = until | _newest(part.rows, job.traded)
                self.slices.append(KeptSlice(part.end_msc, part.ticks, until))
            for feed in job.traded:
                kept[feed] += [quotes.tape(ticks) for ticks in part.ticks[feed]]
            if part.end_msc < job.from_msc:  # these only warm features up
                continue
            for row in part.rows:
                if (row.source, row.symbol) in rows:
                    rows[row.source, row.symbol].append(model.rows(row))
        self._names, self._tapes = names, {f: WholeTape(market.whole(f)) for f in names}
        self.end_msc = job.to_msc
        self.feeds_traded = [
            SharedFeed(feed, _blocks(rows[feed]), _joined(kept[feed])) for feed in job.traded
        ]
        times = [shared.time_msc for shared in self.feeds_traded]
        ends = [int(own[-1]) for own in times if len(own)]
        begins = [int(own[0]) for own in times if len(own)]
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


def _newest(rows: Iterable[Sampled], traded: Sequence[Feed]) -> dict[Feed, tuple[int, int]]:
    return {
        (row.source, row.symbol): (int(row.time_msc[-1]), int(row.seq[-1]))
        for row in rows
        if len(row.time_msc) and (row.source, row.symbol) in traded
    }


class SharedPairs(PairRows):
    """Rows of several symbols that all trials share: nothing is forgotten, and each is asked for
    again and again.
    """

    def __init__(self, job: Job) -> None:
        groups = [group for one in job.strategies.strategies for group in one.pairs]
        super().__init__({symbol for group in groups for symbol in group}, {})
        self._known: dict[tuple[str, tuple[str, ...], int, int], PairedRows] = {}
        self._parts: list[Sampled] = []

    def observe(self, batches: Iterable[Sampled]) -> None:
        """Take in rows, before any are asked for."""
        self._parts += batches

    def at(
        self, source: str, symbols: Sequence[str], time_msc: npt.NDArray[np.int64], features: int
    ) -> PairedRows:
        """As of a stream that has come as far as these times; see `PairRows`."""
        if self._parts:
            super().observe(self._parts)
            self._parts = []
        key = source, tuple(symbols), int(time_msc[0]), len(time_msc)
        if key not in self._known:
            self._known[key] = super().at(source, symbols, time_msc, features)
        return self._known[key]

    def _forget(self) -> None:
        """Trials begin from the first row."""


def _blocks(parts: Sequence[Predicted]) -> tuple[Predicted, ...]:
    parts = [part for part in parts if len(part.sampled.time_msc)]
    if not parts:
        return ()
    whole = _joined_rows(parts)
    starts = range(0, len(whole.sampled.time_msc), _BLOCK)
    return tuple(_cut(whole, slice(start, start + _BLOCK)) for start in starts)


def _cut(whole: Predicted, at: slice) -> Predicted:
    sampled, said, edge_bp = whole.sampled, whole.predictions, whole.edge_bp
    columns = {name: getattr(sampled, name)[at] for name in _COLUMNS}
    if said is not None:
        columns_said: dict[str, Any] = {name: getattr(said, name)[at] for name in _SAID}
        said = said._replace(**columns_said, members=said.members[:, at])
    edge_bp = None if edge_bp is None else edge_bp[at]
    return whole._replace(sampled=sampled._replace(**columns), predictions=said, edge_bp=edge_bp)


def _joined_rows(parts: Sequence[Predicted]) -> Predicted:
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(p.sampled, name) for p in parts]) for name in _COLUMNS[:-1]
    }
    columns["features"] = _by_columns([p.sampled.features for p in parts])
    said = [p.predictions for p in parts if p.predictions is not None]
    edges = [p.edge_bp for p in parts if p.edge_bp is not None]
    first = parts[0]._replace(sampled=parts[0].sampled._replace(**columns), events=())
    if not said:
        return first
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in said]) for name in _SAID
    }
    members = np.concatenate([one.members for one in said], axis=1)
    predictions = said[0]._replace(**joined, members=members)
    return first._replace(predictions=predictions, edge_bp=np.concatenate(edges))


def _by_columns(parts: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """One after another, each column in one piece: a strategy reads a few, thousands of times."""
    joined = np.empty((sum(map(len, parts)), parts[0].shape[1]), np.float32, order="F")
    return np.concatenate(parts, out=joined)


def _joined(parts: Sequence[quotes.Tape]) -> quotes.Tape:
    return quotes.Tape(*(np.concatenate(column) for column in zip(*parts, strict=True)))
