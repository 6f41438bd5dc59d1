"""Orders that wait for their price: placed, changed, taken back."""

from collections.abc import Callable

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker import matching, pending
from adapters.simulator.broker.answers import AcceptedFill, Answers
from adapters.simulator.broker.books import AccountBooks
from adapters.simulator.broker.costs import Draw
from adapters.simulator.broker.matching import Refused
from adapters.simulator.broker.pending import PendingOrder
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.markets.tape import TapedMarket
from core.instruments import is_open


class WaitingOrders:
    """Decides about them, in a state of the caller's.

    `friction`: of a request to a source's broker, sent at a market time. What the broker does not
    do, raises `Refused`.
    """

    def __init__(
        self, market: TapedMarket, pricing: Pricing, answers: Answers,
        friction: Callable[[TradeRequest, str, int], Draw],
    ) -> None:  # fmt: skip
        self._market, self._pricing, self._answers = market, pricing, answers
        self._friction = friction

    def place(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, feed: Feed
    ) -> AcceptedFill:
        """Take an order that waits for its price, from when it arrives."""
        pending.check_form(form)
        known = self._pricing.known(feed, at_msc)
        matching.check_volume(form, known, None)
        works = at_msc + self._friction(form, feed[0], at_msc).latency_ms
        quote = self._market.tape(*feed).last_until(works)
        if quote is None or not is_open(known.session, works * 1000):
            raise Refused(mt5.TRADE_RETCODE_MARKET_CLOSED, "Market closed")
        pending.check_price(form, quote)
        ticket = state.place(form, feed, at_msc, pending.expiry_msc(form, works), works - 1)
        return self._answers.answered(form, ticket, state, at_msc, works)

    def remove(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
        """Take a working order back, unless it fills or expires before that arrives."""
        order, arrives = self._still_working(form, state, at_msc)
        state.retire(order, mt5.ORDER_STATE_CANCELED, arrives)
        return self._answers.answered(form, form.order, state, at_msc, arrives)

    def change(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
        """Give a working order other terms, under which it works from when that arrives."""
        order, arrives = self._still_working(form, state, at_msc)
        changed = pending.changed(order, form, arrives)
        if changed == order:
            raise Refused(mt5.TRADE_RETCODE_NO_CHANGES, "No changes")
        pending.check_form(changed.form)
        known = self._pricing.known(order.feed, at_msc)
        quote = self._market.tape(*order.feed).last_until(arrives)
        if quote is None or not is_open(known.session, arrives * 1000):
            raise Refused(mt5.TRADE_RETCODE_MARKET_CLOSED, "Market closed")
        pending.check_price(changed.form, quote)
        state.working[order.ticket] = replace(changed, seen_msc=arrives - 1)
        return self._answers.answered(form, form.order, state, at_msc, arrives)

    def _still_working(
        self, form: TradeRequest, state: AccountBooks, at_msc: int
    ) -> tuple[PendingOrder, int]:
        """The order that a request is about, and when the request arrives."""
        order = state.working.get(form.order)
        if order is None:
            raise Refused(mt5.TRADE_RETCODE_INVALID_ORDER, f"No working order {form.order}")
        about = form._replace(symbol=order.form.symbol)
        friction = self._friction(about, order.feed[0], at_msc)
        arrives = max(at_msc + friction.latency_ms, order.seen_msc + 1)
        if pending.moment(order, self._market.tape(*order.feed), arrives):
            raise Refused(mt5.TRADE_RETCODE_INVALID_ORDER, f"Order {form.order} was done before")
        return order, arrives
