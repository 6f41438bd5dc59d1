"""Ticks to signals, slice by slice: the steps of the signals flow, without bus and processes."""

import time
from typing import NamedTuple

import numpy as np

from adapters.mt5.recorded import RecordedMarket
from backtest.job import Job
from core import instruments
from core.contracts.signal import Signal
from core.contracts.tick import TickArray, TickBatch
from core.metrics import Histograms
from execution.slices import Slice
from models import strategy
from streams.decide import Decider
from streams.feed import MAX_TICKS, Feed
from streams.predict import ModelInUse
from streams.sample import Sampler


class Judged(NamedTuple):
    """A slice's kept ticks by feed, and what they led to."""

    slice: Slice
    warm_up: bool


class SignalStages:
    """The state of sampling, predicting and deciding over one job."""

    def __init__(self, job: Job, market: RecordedMarket) -> None:
        settings, self._job, self._market = job.settings, job, market
        self._run = settings.run
        self._feeds = [self._feed(source, symbol) for source, symbol in market.feeds()]
        histograms = Histograms()
        self._sampler = Sampler(settings.features.sample_ms, histograms, None)
        self._model = ModelInUse(settings.home_path / "models", histograms, job.model)
        folder = settings.home_path / "strategies"
        chosen = strategy.select(settings.run.strategy, settings.signals, folder)
        self._decider = Decider(settings.run, settings.signals, chosen, None, None)
        self.ticks = self.refused = self.rows = self.predictions = 0
        self.seconds = dict.fromkeys(("read", "judge", "decide"), 0.0)

    def slice(self, number: int) -> Judged | None:
        """The slice `number` (from 1) with its signals in time order; None after the last."""
        part = self._market.slice(number)
        if part is None:
            return None
        warm_up = part.end_msc < self._job.from_msc
        ticks: dict[tuple[str, str], list[TickArray]] = {}
        signals: list[Signal] = []
        for feed in self._feeds:
            kept = self._judge(feed, number)
            ticks[feed.source, feed.symbol] = [kept]
            if (feed.source, feed.symbol) in self._job.traded:
                signals += self._decide(feed, kept, number, warm_up=warm_up)
        signals.sort(key=lambda s: (s.ts_event_us, s.source, s.symbol, s.signal_id))
        return Judged(Slice(number, part.end_msc * 1000, ticks, signals), warm_up)

    def _judge(self, feed: Feed, number: int) -> TickArray:
        began = time.perf_counter()
        raw = self._market.slice_ticks(number, feed.source, feed.symbol)
        read = time.perf_counter()
        kept, refused = feed.judge(raw, now_us=time.time_ns() // 1000, recv_us=None)
        self.ticks += len(kept)
        self.refused += len(refused)
        self.seconds["read"] += read - began
        self.seconds["judge"] += time.perf_counter() - read
        return kept

    def _decide(self, feed: Feed, ticks: TickArray, number: int, *, warm_up: bool) -> list[Signal]:
        began, found = time.perf_counter(), list[Signal]()
        for start in range(0, len(ticks), MAX_TICKS):
            data = np.ascontiguousarray(ticks[start : start + MAX_TICKS]).tobytes()
            run = self._run
            batch = TickBatch(run.run_id, run.mode, feed.source, feed.symbol, 0, number, data)
            sampled = self._sampler.rows(batch, 0)
            if warm_up:
                continue
            predicted = self._model.rows(sampled)
            self.rows += len(sampled.time_msc)
            if predicted.probabilities is not None:
                self.predictions += len(predicted.probabilities)
            found += self._decider.rows(predicted).signals
        self.seconds["decide"] += time.perf_counter() - began
        return found

    def _feed(self, source: str, symbol: str) -> Feed:
        settings, known = self._job.settings, symbol in instruments.shipped()
        return Feed(
            settings.run, source, symbol, origin=settings.run.run_id, known=known,
            future_tolerance_s=settings.collector.future_tolerance_s,
        )  # fmt: skip
