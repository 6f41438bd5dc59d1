"""How many lots a full position has: pure formulas, each with its source.

All but `fixed` size a position by what it loses at its stop, which rides in the entry's own
request: lots = equity x share / (distance to the stop x contract size x rate), money in account
currency. The stop stands so many volatilities away (`signals.stop_volatility`), so a position
is the smaller the wilder the market: scaling by volatility, as R. D. Carver describes it
(Systematic Trading, 2015, ch. 9 and 10), with the stop as the measure of volatility.
"""

import math
from typing import NamedTuple

from execution.risk.limits import Limits


class Money(NamedTuple):
    """What a size in money needs to know. `rate`: account currency per quote unit, or None."""

    equity: float
    contract_size: float
    rate: float | None


def lots_at_risk(share: float, distance: float, money: Money) -> float | None:
    """Lots that lose a share of equity over a distance in price; None without a rate."""
    if money.rate is None:
        return None
    loss = distance * money.contract_size * money.rate  # of one lot
    if not (loss > 0 and share > 0 and money.equity > 0):  # also what is not a number
        return 0.0
    return money.equity * share / loss


def kelly_share(probability: float, payoff: float) -> float:
    """Share of capital at risk that grows it fastest: p - (1 - p) / b, at least 0.

    J. L. Kelly, A New Interpretation of Information Rate, Bell System Technical Journal 35
    (1956), for a bet that wins `payoff` times its stake with a probability and else loses it.
    """
    if not (0.0 <= probability <= 1.0 and payoff > 0):
        return 0.0
    return max(probability - (1.0 - probability) / payoff, 0.0)


def full_lots(limits: Limits, confidence: float, distance: float, money: Money) -> float | None:
    """Lots of a full position by `volatility` or `kelly`, capped; None without a rate.

    A fraction of Kelly loses little growth and much variance (E. O. Thorp, The Kelly Criterion
    in Blackjack, Sports Betting and the Stock Market, 2006, section 7.3), and a model's
    confidence is an estimate: hence the fraction, the cap on the share and the cap in lots.
    """
    share = limits.risk_share
    if limits.sizing == "kelly":
        best = kelly_share(confidence, limits.kelly_payoff)
        share = min(limits.kelly_fraction * best, limits.kelly_cap)
    lots = lots_at_risk(share, distance, money)
    return None if lots is None else min(lots, limits.max_sized_lots)


def steady(wanted: float, held: float, share: float) -> float:
    """The size to aim at: what is held, when it is on the same side and within a share of it.

    Sizes that follow equity and volatility change with every signal; trading each change would
    pay the spread for nothing.
    """
    same_side = wanted * held > 0
    return held if same_side and math.fabs(wanted - held) <= share * math.fabs(held) else wanted
