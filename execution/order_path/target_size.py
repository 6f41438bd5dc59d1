"""The lots of a full position for one signal, under the limits in force.

A strategy of a desk has its share of them: of the lots that are written, or of what equity gives
(the cap counted). Fixed sizing needs nothing else. The others need equity and a conversion rate,
and keep a held position as it is while the new size is close to it.
"""

import math
from collections.abc import Sequence

from core.desk import Desk
from execution.journal.position import Position
from execution.order_path.full_position import Money, full_lots, steady
from execution.risk.checks import RiskContext
from execution.risk.exposure import Exposure
from execution.risk.margin import Funds


class TargetSize:
    """Sizes targets of one account."""

    def __init__(self, exposure: Exposure, funds: Funds, desk: Desk) -> None:
        self._exposure, self._funds, self._desk = exposure, funds, desk

    def lots(self, context: RiskContext, held: Sequence[Position]) -> float | None:
        """Lots of a full position; None when there is no rate to the account's currency."""
        full, factor = self._full(context, held), context.size_factor
        if full is None or factor == 1.0 or not context.signal.target:
            return full
        # What is held on the same side stays: the ladder of drawdown makes entries smaller.
        share = abs(context.signal.target)
        along = math.copysign(1.0, context.signal.target) * sum(p.volume for p in held)
        return max(full * factor, min(along / share, full))

    def _full(self, context: RiskContext, held: Sequence[Position]) -> float | None:
        limits, signal, instrument = context.limits, context.signal, context.instrument
        capital = self._desk.share(signal.strategy)
        if limits.sizing == "fixed" or not signal.target:
            return limits.lots * capital
        if instrument is None:
            return limits.lots  # denied as an unknown symbol, whatever the size
        price = context.quote.mid if context.quote else signal.reference_price
        equity = self._funds.account().equity
        rate = self._exposure.rate(signal.source, instrument, context.now_us)
        money = Money(equity, instrument.contract_size, rate)
        full = full_lots(limits, signal.confidence, abs(price - signal.stop_price), money)
        if full is None:
            return None
        full *= capital
        net, share = sum(p.volume for p in held), abs(signal.target)
        return abs(steady(full * signal.target, net, limits.resize_share)) / share
