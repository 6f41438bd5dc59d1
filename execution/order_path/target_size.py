"""The lots of a full position for one signal, under the limits in force.

Fixed sizing asks nobody. The others need equity and a conversion rate, and keep a held position
as it is while the new size is close to it.
"""

from collections.abc import Sequence

from core.clock import Clock
from core.contracts.signal import Signal
from core.instruments import instrument
from execution.journal.book import Position
from execution.order_path.full_position import Money, full_lots, steady
from execution.order_path.quotes import Quote
from execution.risk.context import PreTradeRisk
from execution.risk.margin import Funds


class TargetSize:
    """Sizes targets of one account."""

    def __init__(self, pre_trade_risk: PreTradeRisk, funds: Funds, clock: Clock) -> None:
        self._pre_trade_risk, self._funds, self._clock = pre_trade_risk, funds, clock

    def lots(self, signal: Signal, quote: Quote | None, held: Sequence[Position]) -> float | None:
        """Lots of a full position; None when there is no rate to the account's currency."""
        limits = self._pre_trade_risk.limits(signal.symbol)[0]
        if limits.sizing == "fixed" or not signal.target:
            return limits.lots
        traded = instrument(signal.symbol, self._clock.now_us())
        if traded is None:
            return limits.lots  # denied as an unknown symbol, whatever the size
        price = quote.mid if quote else signal.reference_price
        equity, rate = (
            self._funds.account().equity,
            self._pre_trade_risk.rate(signal.source, traded),
        )
        money = Money(equity, traded.contract_size, rate)
        full = full_lots(limits, signal.confidence, abs(price - signal.stop_price), money)
        if full is None:
            return None
        net, share = sum(p.volume for p in held), abs(signal.target)
        wanted = steady(full * signal.target, net, limits.resize_share)
        return abs(wanted) / share
