"""What a strategy of a desk may do by itself: its own limits, beside the account's.

They only ever deny more. The loss of the day counts what the strategy realised since the trading
day began, and what all of its open positions have won or lost since they were opened: one that it
has held for days counts whole.
"""

import math
from typing import NamedTuple

from core.contracts.order import DenialReason
from core.desk import StrategyLimits
from execution.risk.checks import Denial

REGIMES = ("calm", "normal", "wild")


class StrategyFacts(NamedTuple):
    """One strategy and the order at hand. Money in account currency; None: no conversion rate.

    Attributes:
        net: signed lots that it holds in the feed.
        entries: its entries in the feed in the last minute.
        value: notional of the order.
        gross: notional of all that it holds.
        capital: its share of the account's equity, now and when the trading day began.
        result: realised today, and floating.
    """

    side: str
    volume: float
    net: float
    entries: int
    value: float | None
    gross: float | None
    capital: float
    opening_capital: float
    result: float | None


def check(facts: StrategyFacts, limits: StrategyLimits) -> Denial | None:
    """The first of the limits that denies an entry, or None."""
    return _order(facts, limits) or _exposure(facts, limits) or _loss(facts, limits)


def outside_regime(limits: StrategyLimits, regime: str) -> Denial:
    """In a regime in which the strategy does not enter.

    The limit is the wildest in which it does, observed is the present one: 0 calm, 1 normal,
    2 wild; -1: none, or not known.
    """
    allowed = [place for place, name in enumerate(REGIMES) if limits.regime_share(name) > 0]
    now = REGIMES.index(regime) if regime in REGIMES else -1
    return Denial(DenialReason.REGIME, float(max(allowed, default=-1)), float(now))


def _order(facts: StrategyFacts, limits: StrategyLimits) -> Denial | None:
    if facts.volume > limits.max_lots + 1e-9:
        return Denial(DenialReason.OVERSIZED, limits.max_lots, facts.volume)
    if facts.entries + 1 > limits.max_orders_per_minute:
        return Denial(DenialReason.TOO_MANY, limits.max_orders_per_minute, facts.entries + 1.0)
    after = abs(facts.net + (facts.volume if facts.side == "buy" else -facts.volume))
    if after > abs(facts.net) and after > limits.max_position_lots + 1e-9:
        return Denial(DenialReason.POSITION_LIMIT, limits.max_position_lots, round(after, 8))
    return None


def _exposure(facts: StrategyFacts, limits: StrategyLimits) -> Denial | None:
    if limits.max_gross_capital == math.inf:
        return None
    if facts.gross is None or facts.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    most, total = limits.max_gross_capital * max(facts.capital, 0.0), facts.gross + facts.value
    return None if total <= most else Denial(DenialReason.GROSS_EXPOSURE, most, total)


def _loss(facts: StrategyFacts, limits: StrategyLimits) -> Denial | None:
    if limits.max_daily_loss_share == math.inf or facts.opening_capital <= 0:
        return None  # nobody knows yet what the day began with
    if facts.result is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    most = limits.max_daily_loss_share * facts.opening_capital
    return Denial(DenialReason.DAILY_LOSS, most, -facts.result) if -facts.result > most else None
