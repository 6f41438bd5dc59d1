"""Ticks to signals, slice by slice: the steps of the signals flow, without bus and processes."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adapters.simulator.markets.recorded import RecordedMarket
from backtest.job import Job
from core import instruments
from core.contracts.signal import Signal
from core.contracts.tick import TickArray, TickBatch
from core.feature_set import FOLDER
from core.metrics import Histograms
from core.settings import Settings
from execution.replay_slices import Slice, order_of
from features import own
from models.serving.in_use import Chosen
from strategies import desk
from streams.decide import Decider
from streams.feed import MAX_TICKS, Feed
from streams.predict import ModelInUse
from streams.records import Sampled
from streams.sample import Sampler

FeedKey = tuple[str, str]


class SampledSlice(NamedTuple):
    """A slice's kept ticks by feed, and the feature rows of the feeds asked for."""

    end_msc: int
    ticks: dict[FeedKey, list[TickArray]]
    rows: list[Sampled]


class PredictedSlice(NamedTuple):
    """A slice's kept ticks by feed, and what they led to."""

    slice: Slice
    warm_up: bool


class FeatureStages:
    """Ticks to feature rows: judging and sampling over one market."""

    def __init__(
        self, settings: Settings, market: RecordedMarket, sampled: Sequence[FeedKey]
    ) -> None:
        """`sampled`: the feeds to sample; all are judged."""
        self._settings, self._market, self._sampled = settings, market, sampled
        self._feeds = [self._feed(source, symbol) for source, symbol in market.feeds()]
        # Rows come at once, or when a slice is complete: which, is the sampler's business.
        features = own.use(own.of_folder(settings.home_path / FOLDER))
        self._sampler: Any = Sampler(
            settings.features.sample_ms, Histograms(), None, features=features
        )
        self.kept: Counter[FeedKey] = Counter()
        self.refused = 0
        self.seconds = dict.fromkeys(("read", "check", "sample"), 0.0)

    @property
    def ticks(self) -> int:
        """Ticks kept of all feeds, also of those that only help."""
        return self.kept.total()

    @property
    def state(self) -> Any:
        """The kernels' memory."""
        return self._sampler.state

    def slice(self, number: int) -> SampledSlice | None:
        """The slice `number` (from 1); None after the last."""
        part = self._market.slice(number)
        if part is None:
            return None
        ticks = {(f.source, f.symbol): [self._checked(f, number)] for f in self._feeds}
        began = time.perf_counter()
        rows = [
            row
            for feed in self._sampled
            for batch in self._batches(feed, ticks[feed][0], number)
            for row in _listed(self._sampler.rows(batch, 0))
        ]
        rows += self._sampler.release() if hasattr(self._sampler, "release") else []
        self.seconds["sample"] += time.perf_counter() - began
        mode = self._settings.run.mode
        rows = [row._replace(mode=mode) for row in rows]
        return SampledSlice(part.end_msc, ticks, rows)

    def _checked(self, feed: Feed, number: int) -> TickArray:
        began = time.perf_counter()
        raw = self._market.slice_ticks(number, feed.source, feed.symbol)
        read = time.perf_counter()
        kept, refused = feed.check(raw, now_us=time.time_ns() // 1000, recv_us=None)
        self.kept[feed.source, feed.symbol] += len(kept)
        self.refused += len(refused)
        self.seconds["read"] += read - began
        self.seconds["check"] += time.perf_counter() - read
        return kept

    def _batches(self, feed: FeedKey, ticks: TickArray, number: int) -> list[TickBatch]:
        # A replay's batches: the sampler may hold them until all feeds of the slice have come.
        run_id = self._settings.run.run_id
        return [
            TickBatch(
                run_id, "replay", *feed, 0, number,
                np.ascontiguousarray(ticks[start : start + MAX_TICKS]).tobytes(),
            )
            for start in range(0, len(ticks), MAX_TICKS)
        ]  # fmt: skip

    def _feed(self, source: str, symbol: str) -> Feed:
        settings, known = self._settings, symbol in instruments.known()
        return Feed(
            settings.run, source, symbol, origin=settings.run.run_id, known=known,
            future_tolerance_s=settings.collector.future_tolerance_s,
        )  # fmt: skip


class SignalStages:
    """The state of sampling, predicting and deciding over one job."""

    def __init__(self, job: Job, market: RecordedMarket) -> None:
        settings, self._job = job.settings, job
        self.features = FeatureStages(settings, market, job.sampled)
        chosen_model = Chosen(job.model)
        self._model = ModelInUse(
            settings.home_path / "models", Histograms(), chosen_model,
            named=job.strategies.named_models,
        )  # fmt: skip
        folder = settings.home_path / "strategies"
        members = desk.members(job.strategies, settings, lambda _use: folder)
        self._decider = Decider(settings.run, members, None, None)
        self.rows = self.predictions = 0
        self.decide_s = 0.0

    @property
    def traded(self) -> tuple[FeedKey, ...]:
        """The feeds that give signals."""
        return self._job.traded

    @property
    def ticks(self) -> int:
        """Ticks kept of all feeds."""
        return self.features.ticks

    def slice(self, number: int) -> PredictedSlice | None:
        """The slice `number` (from 1) with its signals in time order; None after the last."""
        sampled = self.features.slice(number)
        if sampled is None:
            return None
        self._decider.observe(sampled.rows)
        warm_up = sampled.end_msc < self._job.from_msc
        signals = [] if warm_up else self._decide(sampled.rows)
        return PredictedSlice(
            Slice(number, sampled.end_msc * 1000, sampled.ticks, signals), warm_up
        )

    def _decide(self, rows: Sequence[Sampled]) -> list[Signal]:
        began, signals = time.perf_counter(), list[Signal]()
        for sampled in rows:
            if (sampled.source, sampled.symbol) not in self._job.traded:
                continue
            predicted = self._model.rows(sampled)
            self.rows += len(sampled.time_msc)
            if predicted.probabilities is not None:
                self.predictions += len(predicted.probabilities)
            signals += self._decider.rows(predicted).signals
        self.decide_s += time.perf_counter() - began
        return sorted(signals, key=order_of)


def _listed(rows: Any) -> list[Sampled]:
    return rows if isinstance(rows, list) else [rows]
