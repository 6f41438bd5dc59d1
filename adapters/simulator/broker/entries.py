"""Which position an entry goes into, what that costs, and whether there is money for it."""

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker import matching, operations
from adapters.simulator.broker.books import AccountBooks, BookedDeal
from adapters.simulator.broker.costs import money
from adapters.simulator.broker.matching import AccountPosition, Refused
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.broker.totals import totals
from adapters.simulator.markets.tape import Quote
from core.instruments import Instrument


class Entries:
    """Of one account; `netting`: with one position per symbol."""

    def __init__(self, pricing: Pricing, *, netting: bool) -> None:
        self._pricing, self._netting = pricing, netting

    def met(self, form: TradeRequest, state: AccountBooks) -> AccountPosition | None:
        """The position that an entry goes into: the symbol's, or that of its own first part."""
        if form.action == operations.PART:
            identifier = state.orders[form.order - 1].position_id
            held = next((p for p in state.positions.values() if p.identifier == identifier), None)
            if held is None:
                raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
            return held
        candidates = (p for p in state.positions.values() if p.symbol == form.symbol)
        return next(candidates, None) if self._netting else None

    def meet(
        self, form: TradeRequest, state: AccountBooks, known: Instrument, held: AccountPosition,
        quote: Quote, deal: BookedDeal,
    ) -> None:  # fmt: skip
        """Book a deal into the symbol's position; what it costs and gains is worked out here."""
        along = (form.type == mt5.ORDER_TYPE_BUY) == held.long
        opened = form.volume if along else round(form.volume - held.volume, 8)
        margin = profit = 0.0
        if opened > 0:
            part = form._replace(volume=opened)
            margin, _ = self.affordable(part, state, known, held.feed, quote, deal.price)
        if not along:
            closed = min(form.volume, held.volume)
            profit = self._pricing.profit(held, closed, deal.price, quote.time_msc)
        commission = -money(known.commission * form.volume)
        book = state.add if along else state.reverse if opened > 0 else state.close
        book(held, form, deal._replace(commission=commission, profit=profit, margin=margin))

    def affordable(
        self, form: TradeRequest, state: AccountBooks, known: Instrument, feed: Feed, quote: Quote,
        price: float,
    ) -> tuple[float, float]:  # fmt: skip
        """Margin and commission of what a request opens, when there is money for them."""
        margin = self._pricing.margin(feed, form.volume, price, quote.time_msc)
        commission = money(known.commission * form.volume)
        now = totals(self._pricing, state, quote.time_msc)
        free = now.equity - now.margin
        if margin + commission > free:
            text = f"No money: needs {margin + commission:.2f}, free {free:.2f}"
            raise Refused(mt5.TRADE_RETCODE_NO_MONEY, text[: matching.COMMENT_MAX * 2])
        return margin, commission
