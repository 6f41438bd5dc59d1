"""One job: ticks to features, predictions, signals, orders and fills, in one process.

The parts are those of a replay: the signals flow's steps, execution's replay driver, the
simulated terminal. What is left out is what stands between processes: bus, warehouse and disk.
So the same ticks, settings and model give the same signals and orders.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from adapters.mt5.venue.orders import Venue
from adapters.simulator.broker.matching import QUIET_MSC
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tape import TapedMarket
from adapters.simulator.markets.tickfile import ParquetTicks
from adapters.simulator.terminal import SimulatedTerminal
from backtest import memory
from backtest.candles import Candles
from backtest.equity import EquityCurve
from backtest.job import Job, JobOutcome, counted
from backtest.risk_figures import RiskFigures
from backtest.span import Until
from backtest.stages import FeedKey, PredictedSlice, SignalStages
from core.clock import SystemClock
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import Signal
from core.controls import desks
from execution import compose, replay
from execution.order_path.valuation import rate
from execution.replay_slices import Slice
from execution.risk import run_rules
from execution.risk.controls import in_force
from execution.risk.limits_file import freeze
from risk.stress import available
from streams.portfolio_risk import Market

#: Called with ticks done so far.
Progress = Callable[[int], None]


def silent(_ticks: int) -> None:
    """Progress for nobody."""


def run(job: Job, progress: Progress = silent) -> JobOutcome:
    """Compute one job.

    Raises:
        InputError: a file, or the limits file, cannot be read.
        ModelError: the model is missing, corrupt, or made for another feature set.
        SettingsError: no such strategy.
    """
    began = time.perf_counter()
    market = market_of(job)
    terminal = terminal_of(job, market)
    with tempfile.TemporaryDirectory() as scratch:
        parts, kept, risks = execution_of(job, terminal, Path(scratch))
    watch = curve_of(job, parts, terminal)
    figures = figures_of(job, checked=parts.engine.needs_figures)
    stages = SignalStages(job, market)
    slices = ComputedSlices(stages, parts, watch, kept, progress, figures)
    replay.Replay(parts, slices).run()
    outcome = _outcome(job, stages, slices, watch, kept.events, time.perf_counter() - began)
    candles = slices.candles.candles()
    risk = figures.tables() if figures else ()
    return outcome._replace(trips=risks.trips, firm=kept.firm, candles=candles, risk=risk)


class Decided(Protocol):
    """Where slices and their signals come from: computed here, or by a trial over shared rows."""

    @property
    def traded(self) -> tuple[FeedKey, ...]:
        """The feeds whose candles are wanted."""
        ...

    @property
    def ticks(self) -> int:
        """Ticks kept so far."""
        ...

    def slice(self, number: int) -> PredictedSlice | None:
        """The slice `number` (from 1) with its signals in time order; None after the last."""
        ...


class ComputedSlices:
    """What execution's driver reads: the next slice, computed when it is asked for."""

    def __init__(
        self,
        stages: Decided,
        parts: replay.Parts,
        watch: EquityCurve,
        kept: memory.EventLog,
        progress: Progress,
        figures: RiskFigures | None = None,
    ) -> None:
        self._stages, self._parts, self._watch = stages, parts, watch
        self._kept, self._progress, self._figures = kept, progress, figures
        self._handled: Slice | None = None
        self._number = 0
        self.signals: list[Signal] = []
        self.candles = Candles(stages.traded)
        self.first_us = self.last_us = 0

    def next(self) -> Slice:
        """The next slice of the span; after the last one, the end."""
        if self._handled is not None:
            self._watch.add(self._handled, self._kept.events)
            self._measure()
        while (predictions := self._stages.slice(self._number + 1)) is not None:
            self._number += 1
            self._progress(self._stages.ticks)
            if predictions.warm_up:
                self._warm_up(predictions.slice)
                continue
            self._handled = predictions.slice
            self.signals += predictions.slice.signals
            self._span(predictions.slice)
            self.candles.add(predictions.slice.ticks)
            risk = self._figures.slice(predictions.slice) if self._figures else []
            return predictions.slice._replace(risk=risk)
        return Slice(self._number, self.last_us, {}, [], last=True)

    def _measure(self) -> None:
        """What could be lost in the slice that execution has handled."""
        changes = self._kept.changes()
        if self._figures:
            self._figures.handled(changes)

    def _warm_up(self, part: Slice) -> None:
        """Usual spreads and volatility are known when the span begins; a crash before is over."""
        if self._figures:
            self._figures.warm_up(part)
        self._parts.quotes.load(part.ticks)
        if self._parts.breakers is not None:
            self._parts.breakers.load(part.ticks, part.end_us)
            self._parts.breakers.forget()

    def _span(self, part: Slice) -> None:
        times = [a["time_msc"] for arrays in part.ticks.values() for a in arrays if len(a)]
        if times and not self.first_us:
            self.first_us = min(int(t[0]) for t in times) * 1000
        self.last_us = part.end_us


def figures_of(job: Job, *, checked: bool) -> RiskFigures | None:
    """What the stream would say; None where nobody wants to know."""
    run, settings = job.settings.run, job.settings.risk
    if not settings.enabled or not (checked or job.risk):
        return None
    market = Market(run, settings, available(job.settings.home_path)) if checked else None
    return RiskFigures(run, settings, market, kept=job.risk)


def market_of(job: Job, kind: type[RecordedMarket] = RecordedMarket) -> RecordedMarket:
    """The job's ticks, as that kind of recorded market; a slice ends where its span begins."""
    files = [Until(ParquetTicks(f.path, f.source, f.symbol), job.to_msc) for f in job.feeds]
    return kind(files, job.settings.collector.slice_ticks, max(job.from_msc - 1, 0))


def terminal_of(job: Job, market: TapedMarket) -> SimulatedTerminal:
    """The job's simulated broker over a market."""
    chosen = job.settings.terminal
    return SimulatedTerminal(
        market, balance=chosen.balance, currency=chosen.currency, seed=chosen.seed,
        login=chosen.login or 1, frictions=job.frictions, netting=chosen.netting,
    )  # fmt: skip


def execution_of(
    job: Job, terminal: SimulatedTerminal, scratch: Path
) -> tuple[replay.Parts, memory.EventLog, memory.RiskLog]:
    """Execution as a replay composes it, with nothing on disk."""
    settings, kept, risks = job.settings, memory.EventLog(job.settings.run), memory.RiskLog()
    content, entry = job.limits, job.limits_entry
    if not content:
        content, _, entry = in_force(settings, SystemClock())
    frozen = freeze(content, scratch, entry)
    run_rules.freeze(job.rules or run_rules.chosen(settings, content), scratch)
    desks.freeze(job.strategies, scratch)
    parts = compose.replay_parts(settings, memory.journal(), risks, Venue(terminal), frozen, kept)
    return parts, kept, risks


def curve_of(job: Job, parts: replay.Parts, terminal: SimulatedTerminal) -> EquityCurve:
    """What follows the account: its equity and its trades."""
    currency = job.settings.terminal.currency

    def account_per(source: str, quote: str, at_us: int) -> float | None:
        return rate(parts.quotes, source, quote, currency, at_us)

    def swaps() -> dict[int, float]:
        return {position.ticket: position.swap for position in terminal.positions_get()}

    return EquityCurve(job.settings.terminal.balance, job.bucket_us, account_per, swaps)


def _in_quiet_markets(events: list[OrderEvent]) -> int:
    """Fills at the market for which no quote came in time, so that the one that stood was taken."""
    at_market = (e for e in events if e.kind is Kind.SUBMITTED and not e.reason)
    sent = {e.order_id: e.ts_event_us for e in at_market}
    filled = (e for e in events if e.kind in (Kind.FILLED, Kind.PARTIALLY_FILLED))
    waits = (e.ts_event_us - sent.get(e.order_id, e.ts_event_us) for e in filled)
    return sum(wait >= QUIET_MSC * 1000 for wait in waits)


def _outcome(
    job: Job, stages: SignalStages, slices: ComputedSlices, watch: EquityCurve,
    events: list[OrderEvent], wall_s: float,
) -> JobOutcome:  # fmt: skip
    kinds = [event.kind for event in events]
    curve = watch.finish()
    seconds = {**stages.features.seconds, "decide": stages.decide_s, "wall": wall_s}
    counts = counted(
        ticks=sum(stages.features.kept[feed] for feed in job.traded),
        quarantined=stages.features.refused, features=stages.rows,
        predictions=stages.predictions, signals=len(slices.signals),
        orders=kinds.count(Kind.SUBMITTED), orders_denied=kinds.count(Kind.DENIED),
        orders_rejected=kinds.count(Kind.REJECTED),
        fills=kinds.count(Kind.FILLED) + kinds.count(Kind.PARTIALLY_FILLED),
        fills_at_standing_quote=_in_quiet_markets(events),
        closed_by_broker=kinds.count(Kind.CLOSED),
    )  # fmt: skip
    return JobOutcome(
        job=job, events=events, signals=slices.signals, trades=watch.trades, curve=curve,
        equity_drawdown=watch.equity.drawdown, balance_drawdown=watch.settled.drawdown,
        counts=counts, first_us=slices.first_us, last_us=slices.last_us, seconds=seconds,
    )  # fmt: skip
