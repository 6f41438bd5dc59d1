"""Several accounts as one: what a person would have had who gave each its share of one deposit.

Profits of the accounts add up on one deposit. One account alone keeps its exact drawdowns, taken
at every tick; for several they are taken where a curve has a point.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backtest.equity import Drawdowns
from backtest.job import Curve, Drawdown, Outcome, Trade
from backtest.metrics import Figures, figures, utc
from core.contracts.order import EventKind


class PortfolioResult(NamedTuple):
    """All jobs of a backtest together."""

    outcomes: Sequence[Outcome]
    trades: list[Trade]
    curve: Curve
    drawdowns: tuple[Drawdown, Drawdown]  # of balance and equity
    figures: Figures
    counts: dict[str, int]
    denied_by_reason: dict[str, int]
    rejected_by_reason: dict[str, int]  # the broker's code and words
    span_us: tuple[int, int]


def together(outcomes: Sequence[Outcome], deposit: float, trials: int) -> PortfolioResult:
    """Sum up the accounts."""
    trades = [trade for outcome in outcomes for trade in outcome.trades]
    trades.sort(key=lambda t: (t.closed_us, t.source, t.symbol, t.opened_us))
    curve = _summed([outcome.curve for outcome in outcomes], deposit)
    drawdowns = _drawdowns(outcomes, curve, deposit)
    traded = [o for o in outcomes if o.first_us]
    first = min((o.first_us for o in traded), default=0)
    span_us = first, max((o.last_us for o in traded), default=first)
    all_figures = figures(trades, curve, drawdowns, deposit, span_us, trials)
    counts = sum((Counter(o.counts) for o in outcomes), Counter[str]())
    denied, rejected = (_reasons(outcomes, k) for k in (EventKind.DENIED, EventKind.REJECTED))
    names = outcomes[0].counts
    totals = {name: counts[name] for name in names}
    return PortfolioResult(
        outcomes=outcomes, trades=trades, curve=curve, drawdowns=drawdowns, figures=all_figures,
        counts=totals, denied_by_reason=denied, rejected_by_reason=rejected, span_us=span_us,
    )  # fmt: skip


def _reasons(outcomes: Sequence[Outcome], kind: EventKind) -> dict[str, int]:
    """How often each was given, most frequent first."""
    events = (event for outcome in outcomes for event in outcome.events)
    return dict(Counter(event.reason for event in events if event.kind is kind).most_common())


def warnings(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """What stopped an account before its span was over."""
    return tuple(
        f"{outcome.job.name}: trading went to {trip.state} at {utc(trip.ts_event_us):%F %T} UTC"
        f" and stayed so: {trip.reason}"
        for outcome in outcomes
        for trip in outcome.trips
    )


def _drawdowns(
    outcomes: Sequence[Outcome], curve: Curve, deposit: float
) -> tuple[Drawdown, Drawdown]:
    if len(outcomes) == 1:
        return outcomes[0].balance_drawdown, outcomes[0].equity_drawdown
    balance, equity = Drawdowns(deposit), Drawdowns(deposit)
    balance.add(curve.balance)
    equity.add(curve.equity)
    return balance.drawdown, equity.drawdown


def _summed(curves: Sequence[Curve], deposit: float) -> Curve:
    if len(curves) == 1:
        return curves[0]
    times = np.unique(np.concatenate([curve.time_us for curve in curves]))
    equity, balance = np.full(len(times), deposit), np.full(len(times), deposit)
    for curve in curves:
        position = np.searchsorted(curve.time_us, times, side="right")
        equity += np.concatenate([[deposit], curve.equity])[position] - deposit
        balance += np.concatenate([[deposit], curve.balance])[position] - deposit
    return Curve(times, equity, balance)
