"""Trials by execution itself: where orders wait, or symbols of one account are sized by its equity.

Ticks were judged and rows computed once; from signals on, a trial is a backtest: the same engine,
limits and simulated broker. So its trades are a backtest's by construction, whatever execution
does, at a fraction of its cost, and not at the hundredths of `FastBroker`.
"""

import tempfile
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from backtest import run
from backtest.job import Job, Trade
from backtest.optimise.broker import FastTrade, FeedTrade
from backtest.optimise.shared import SharedMarket
from backtest.stages import PredictedSlice
from core.contracts.signal import Signal
from execution import replay
from execution.replay_slices import Slice, order_of


class ExecutedAccount:
    """One account over a shared market that keeps its slices, for any number of trials."""

    def __init__(self, market: SharedMarket, job: Job) -> None:
        self._market, self._job = market, job

    def trades(self, signals: Sequence[Signal]) -> list[FeedTrade]:
        """What becomes of signals of all feeds; what is open ends with the data."""
        job, terminal = self._job, run.terminal_of(self._job, self._market)
        with tempfile.TemporaryDirectory() as scratch:
            parts, kept, _ = run.execution_of(job, terminal, Path(scratch))
        watch = run.curve_of(job, parts, terminal)
        figures = run.figures_of(job, checked=parts.engine.needs_figures)
        decided = _Decided(self._market, job.from_msc, signals)
        slices = run.ComputedSlices(decided, parts, watch, kept, run.silent, figures)
        replay.Replay(parts, slices).run()
        watch.finish()
        return [FeedTrade((t.source, t.symbol), _fast(t)) for t in watch.trades]


class _Decided:
    """The slices of a shared market with a trial's signals; see `backtest.run.Decided`."""

    ticks = 0
    traded = ()  # nobody draws candles of a trial

    def __init__(self, market: SharedMarket, from_msc: int, signals: Sequence[Signal]) -> None:
        self._slices, self._from_msc = market.slices, from_msc
        self._signals: dict[int, list[Signal]] = defaultdict(list)
        bounds = {
            f.feed: [s.rows_until[f.feed] for s in market.slices] for f in market.feeds_traded
        }
        for signal in signals:
            tick = signal.time_msc, signal.seq
            number = bisect_left(bounds[signal.source, signal.symbol], tick) + 1
            self._signals[number].append(signal)

    def slice(self, number: int) -> PredictedSlice | None:
        """The slice `number` (from 1); None after the last."""
        if number > len(self._slices):
            return None
        kept, signals = self._slices[number - 1], sorted(self._signals[number], key=order_of)
        part = Slice(number, kept.end_msc * 1000, kept.ticks, signals)
        return PredictedSlice(part, kept.end_msc < self._from_msc)


def _fast(trade: Trade) -> FastTrade:
    return FastTrade(*(getattr(trade, name) for name in FastTrade._fields))
