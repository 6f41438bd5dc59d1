"""Deals at the market: what opens, adds to, reduces, reverses and closes a position."""

from collections.abc import Callable

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker import exits, matching, operations
from adapters.simulator.broker.answers import AcceptedFill, Answers
from adapters.simulator.broker.books import AccountBooks, BookedDeal
from adapters.simulator.broker.costs import Draw, money
from adapters.simulator.broker.entries import Entries
from adapters.simulator.broker.matching import AccountPosition, Refused
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.markets.tape import Quote, TapedMarket
from core.instruments import Instrument


class MarketOrders:
    """Decides them, in a state of the caller's.

    `friction`: of a request to a source's broker, sent at a market time.
    """

    def __init__(
        self, market: TapedMarket, pricing: Pricing, entries: Entries, answers: Answers,
        friction: Callable[[TradeRequest, str, int], Draw],
    ) -> None:  # fmt: skip
        self._market, self._pricing, self._entries = market, pricing, entries
        self._answers, self._friction = answers, friction

    def deal(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, feed: Feed
    ) -> AcceptedFill:
        """Open, meet or close a position at the first quote after the request arrives.

        Raises:
            Refused: the broker does not do it.
        """
        matching.check_form(form)
        known = self._pricing.known(feed, at_msc)
        friction = self._friction(form, feed[0], at_msc)
        if form.position:
            return self._close(form, state, at_msc, known, friction)
        held = self._entries.met(form, state)
        if held is None:
            return self._open(form, state, at_msc, known, friction, feed)
        return self._net(form, state, at_msc, known, friction, held)

    def modify(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
        """Give a position another stop and take-profit.

        Raises:
            Refused: the broker does not do it.
        """
        position = state.positions.get(form.position)
        if position is None:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, f"No position {form.position}")
        if (form.sl, form.tp) == (position.sl, position.tp):
            raise Refused(mt5.TRADE_RETCODE_NO_CHANGES, "No changes")
        at_msc = max(at_msc, position.time_msc)
        quote = self._market.tape(*position.feed).last_until(at_msc)
        if quote is not None:
            matching.check_stops(position.long, form.sl, form.tp, quote)
        changed = replace(position, sl=form.sl, tp=form.tp, updated_msc=at_msc)
        state.positions[position.ticket] = changed
        return AcceptedFill(
            self._answers.result(form, mt5.TRADE_RETCODE_DONE, comment="Done"), at_msc, state
        )

    def _open(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, known: Instrument,
        friction: Draw, feed: Feed,
    ) -> AcceptedFill:  # fmt: skip
        quote, price = self._entry_price(form, at_msc, known, friction, feed)
        margin, commission = self._entries.affordable(form, state, known, feed, quote, price)
        reason = operations.REASONS[form.action]
        deal = BookedDeal(price, quote.time_msc, at_msc, -commission, 0.0, margin, reason)
        state.open(form, feed, deal)
        return self._answers.filled(form, state, at_msc, quote, price)

    def _net(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, known: Instrument,
        friction: Draw, held: AccountPosition,
    ) -> AcceptedFill:  # fmt: skip
        """A deal that meets the symbol's position: adds to it, reduces or reverses it."""
        quote, price = self._entry_price(form, at_msc, known, friction, held.feed)
        held, reached = exits.settled(self._pricing, held, quote.time_msc)
        if reached:
            if form.action == operations.PART:
                raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
            exits.book_exit(self._pricing, state, held, reached)
            return self._open(form, state, at_msc, known, friction, held.feed)
        deal = BookedDeal(
            price=price, time_msc=quote.time_msc, sent_msc=at_msc, commission=0.0,
            reason=operations.REASONS[form.action], order=_order(form),
        )  # fmt: skip
        self._entries.meet(form, state, known, held, quote, deal)
        return self._answers.filled(form, state, at_msc, quote, price)

    def _close(
        self,
        form: TradeRequest,
        state: AccountBooks,
        at_msc: int,
        known: Instrument,
        friction: Draw,
    ) -> AcceptedFill:
        position = state.positions.get(form.position)
        if position is None or position.symbol != form.symbol:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, f"No position {form.position}")
        if (form.type == mt5.ORDER_TYPE_BUY) == position.long:
            raise Refused(mt5.TRADE_RETCODE_INVALID, "A position closes by the opposite type")
        matching.check_volume(form, known, position.volume)
        sent = max(at_msc, position.time_msc - friction.latency_ms)  # never before it opened
        tape = self._market.tape(*position.feed)
        quote = matching.arrival(tape, sent, friction.latency_ms, known)
        position, reached = exits.settled(self._pricing, position, quote.time_msc)
        if reached:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "Position closed by its stop")
        price = matching.fill_price(quote, not position.long, friction)
        matching.check_deviation(form, price, known.point)
        profit = self._pricing.profit(position, form.volume, price, quote.time_msc)
        commission = -money(known.commission * form.volume)
        reason = operations.REASONS[form.action]
        deal = BookedDeal(
            price=price, time_msc=quote.time_msc, sent_msc=at_msc, commission=commission,
            profit=profit, margin=0.0, reason=reason, order=_order(form),
        )  # fmt: skip
        state.close(position, form, deal)
        return self._answers.filled(form, state, at_msc, quote, price)

    def _entry_price(
        self, form: TradeRequest, at_msc: int, known: Instrument, friction: Draw, feed: Feed
    ) -> tuple[Quote, float]:
        matching.check_volume(form, known, None)
        quote = matching.arrival(self._market.tape(*feed), at_msc, friction.latency_ms, known)
        buy = form.type == mt5.ORDER_TYPE_BUY
        price = matching.fill_price(quote, buy, friction)
        matching.check_deviation(form, price, known.point)
        matching.check_stops(buy, form.sl, form.tp, quote)
        return quote, price


def _order(form: TradeRequest) -> int:
    return form.order if form.action == operations.PART else 0
