"""The simulated account, whose whole state follows from accepted requests.

`base` is the state after the last accepted request, `view` the same moved on to a caller's
market time: swaps charged, stops filled, in time order. A caller that comes back with an
earlier time (a restarted client) gets a new view from `base`, so an answer depends on the
requests and the caller's time, never on who asked what before.

A hedging account keeps positions apart; a netting one has one per symbol, which opposite deals
reduce, close or reverse.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult, TradeRequest
from adapters.mt5.real.symbols import Feed, terminal_names
from adapters.simulator.broker import matching, operations, pending, stop_out
from adapters.simulator.broker.books import AccountBooks, BookedDeal
from adapters.simulator.broker.costs import (
    Draw,
    Frictions,
    draw,
    draw_until_0_2,
    money,
    next_rollover,
)
from adapters.simulator.broker.matching import AccountPosition, ReachedExit, Refused
from adapters.simulator.broker.pending import Moment, PendingOrder
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.markets.tape import Quote, TapedMarket
from core.instruments import Instrument, is_open


class Totals(NamedTuple):
    """Money of the account at one moment, account currency."""

    balance: float
    profit: float  # floating, with swaps
    margin: float
    credit: float = 0.0

    @property
    def equity(self) -> float:
        """Balance with credit and the floating profit."""
        return money(self.balance + self.credit + self.profit)


class AcceptedFill(NamedTuple):
    """A request that was accepted."""

    result: OrderSendResult
    time_msc: int
    state: AccountBooks


class SimulatedAccount:
    """Decides requests. `decide` changes nothing; `accept` makes its outcome the new base."""

    def __init__(
        self, market: TapedMarket, balance: float, currency: str, seed: int, frictions: Frictions,
        *, netting: bool = False, opened_msc: int = 0,
    ) -> None:  # fmt: skip
        self.feeds: dict[str, Feed] = terminal_names(market.feeds())
        self.pricing, self.netting = Pricing(market, currency), netting
        self._market, self._seed, self._frictions = market, seed, frictions
        self._draw = draw
        self._base = AccountBooks(balance, opened_msc)
        self._view = self._base.copy()
        self.accepted = 0

    def state(self, at_msc: int) -> AccountBooks:
        """The state at a market time (milliseconds), not before the last accepted request."""
        at_msc = max(at_msc, self._base.at_msc)
        if at_msc < self._view.at_msc:
            self._view = self._base.copy()
        self._advance(self._view, at_msc)
        return self._view

    def decide(self, request: Mapping[str, Any], at_msc: int) -> AcceptedFill | OrderSendResult:
        """What the broker would do with a request, or what it does by itself, at a market time."""
        at_msc = max(at_msc, self._base.at_msc)
        form = trade_request(request)
        try:
            state = self.state(at_msc).copy()
            if form.action == operations.MONEY:
                state.operate(form, at_msc)
                return self._booked(form, state, at_msc, at_msc)
            if form.action == mt5.TRADE_ACTION_REMOVE:
                return self._remove(form, state, at_msc)
            if form.action == mt5.TRADE_ACTION_MODIFY:
                return self._change(form, state, at_msc)
            feed = self.feeds.get(form.symbol)
            if feed is None:
                raise Refused(mt5.TRADE_RETCODE_INVALID, f"Unknown symbol {form.symbol}")
            if form.action == mt5.TRADE_ACTION_SLTP:
                return self._modify(form, state, at_msc)
            if form.action in (mt5.TRADE_ACTION_PENDING, operations.IN_PARTS):
                return self._place(form, state, at_msc, feed)
            if form.action in operations.REASONS:
                return self._deal(form, state, at_msc, feed)
            raise Refused(mt5.TRADE_RETCODE_INVALID, f"Action {form.action} is not simulated")
        except Refused as refusal:
            return self._result(form, refusal.retcode, comment=refusal.comment)

    def decide_as_before(
        self, request: Mapping[str, Any], at_msc: int
    ) -> AcceptedFill | OrderSendResult:
        """What the broker of 0.1 and 0.2 did with a request."""
        self._draw = draw_until_0_2
        try:
            return self.decide(request, at_msc)
        finally:
            self._draw = draw

    def accept(self, fill: AcceptedFill) -> None:
        """Make a decided request part of the account."""
        self._base = fill.state
        self._view = self._base.copy()
        self.accepted += 1

    def totals(self, state: AccountBooks, at_msc: int) -> Totals:
        """Balance, floating profit and margin at a market time."""
        held = state.positions.values()
        profit = sum(
            self.pricing.floating(position, at_msc)[1] + position.swap for position in held
        )
        margin = money(sum(p.margin for p in held))
        return Totals(state.balance, money(profit), margin, state.credit)

    def _deal(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, feed: Feed
    ) -> AcceptedFill:
        matching.check_form(form)
        known = self.pricing.known(feed, at_msc)
        friction = self._draw(self._frictions, form, feed[0], at_msc, self._seed)
        if form.position:
            return self._close(form, state, at_msc, known, friction)
        held = self._met(form, state)
        if held is None:
            return self._open(form, state, at_msc, known, friction, feed)
        return self._net(form, state, at_msc, known, friction, held)

    def _met(self, form: TradeRequest, state: AccountBooks) -> AccountPosition | None:
        """The position that an entry goes into: the symbol's, or that of its own first part."""
        if form.action == operations.PART:
            identifier = state.orders[form.order - 1].position_id
            held = next((p for p in state.positions.values() if p.identifier == identifier), None)
            if held is None:
                raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
            return held
        candidates = (p for p in state.positions.values() if p.symbol == form.symbol)
        return next(candidates, None) if self.netting else None

    def _open(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, known: Instrument,
        friction: Draw, feed: Feed,
    ) -> AcceptedFill:  # fmt: skip
        quote, price = self._entry_price(form, at_msc, known, friction, feed)
        margin, commission = self._affordable(form, state, known, feed, quote, price)
        reason = operations.REASONS[form.action]
        deal = BookedDeal(price, quote.time_msc, at_msc, -commission, 0.0, margin, reason)
        state.open(form, feed, deal)
        return self._filled(form, state, at_msc, quote, price)

    def _net(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, known: Instrument,
        friction: Draw, held: AccountPosition,
    ) -> AcceptedFill:  # fmt: skip
        """A deal that meets the symbol's position: adds to it, reduces or reverses it."""
        quote, price = self._entry_price(form, at_msc, known, friction, held.feed)
        held, reached = self._settled(held, quote.time_msc)
        if reached:
            if form.action == operations.PART:
                raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
            self._exit(state, held, reached)
            return self._open(form, state, at_msc, known, friction, held.feed)
        deal = BookedDeal(
            price=price, time_msc=quote.time_msc, sent_msc=at_msc, commission=0.0,
            reason=operations.REASONS[form.action], order=_order(form),
        )  # fmt: skip
        self._meet(form, state, known, held, quote, deal)
        return self._filled(form, state, at_msc, quote, price)

    def _meet(
        self, form: TradeRequest, state: AccountBooks, known: Instrument, held: AccountPosition,
        quote: Quote, deal: BookedDeal,
    ) -> None:  # fmt: skip
        """Book a deal into the symbol's position; what it costs and gains is worked out here."""
        along = (form.type == mt5.ORDER_TYPE_BUY) == held.long
        opened = form.volume if along else round(form.volume - held.volume, 8)
        margin = profit = 0.0
        if opened > 0:
            part = form._replace(volume=opened)
            margin, _ = self._affordable(part, state, known, held.feed, quote, deal.price)
        if not along:
            closed = min(form.volume, held.volume)
            profit = self.pricing.profit(held, closed, deal.price, quote.time_msc)
        commission = -money(known.commission * form.volume)
        book = state.add if along else state.reverse if opened > 0 else state.close
        book(held, form, deal._replace(commission=commission, profit=profit, margin=margin))

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

    def _affordable(
        self, form: TradeRequest, state: AccountBooks, known: Instrument, feed: Feed, quote: Quote,
        price: float,
    ) -> tuple[float, float]:  # fmt: skip
        """Margin and commission of what a request opens, when there is money for them."""
        margin = self.pricing.margin(feed, form.volume, price, quote.time_msc)
        commission = money(known.commission * form.volume)
        totals = self.totals(state, quote.time_msc)
        free = totals.equity - totals.margin
        if margin + commission > free:
            text = f"No money: needs {margin + commission:.2f}, free {free:.2f}"
            raise Refused(mt5.TRADE_RETCODE_NO_MONEY, text[: matching.COMMENT_MAX * 2])
        return margin, commission

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
        position, reached = self._settled(position, quote.time_msc)
        if reached:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "Position closed by its stop")
        price = matching.fill_price(quote, not position.long, friction)
        matching.check_deviation(form, price, known.point)
        profit = self.pricing.profit(position, form.volume, price, quote.time_msc)
        commission = -money(known.commission * form.volume)
        reason = operations.REASONS[form.action]
        deal = BookedDeal(
            price=price, time_msc=quote.time_msc, sent_msc=at_msc, commission=commission,
            profit=profit, margin=0.0, reason=reason, order=_order(form),
        )  # fmt: skip
        state.close(position, form, deal)
        return self._filled(form, state, at_msc, quote, price)

    def _modify(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
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
            self._result(form, mt5.TRADE_RETCODE_DONE, comment="Done"), at_msc, state
        )

    def _place(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, feed: Feed
    ) -> AcceptedFill:
        """Take an order that waits for its price, from when it arrives."""
        pending.check_form(form)
        known = self.pricing.known(feed, at_msc)
        matching.check_volume(form, known, None)
        works = at_msc + self._draw(self._frictions, form, feed[0], at_msc, self._seed).latency_ms
        quote = self._market.tape(*feed).last_until(works)
        if quote is None or not is_open(known.session, works * 1000):
            raise Refused(mt5.TRADE_RETCODE_MARKET_CLOSED, "Market closed")
        pending.check_price(form, quote)
        ticket = state.place(form, feed, at_msc, pending.expiry_msc(form, works), works - 1)
        return self._answered(form, ticket, state, at_msc, works)

    def _remove(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
        """Take a working order back, unless it fills or expires before that arrives."""
        order, arrives = self._still_working(form, state, at_msc)
        state.retire(order, mt5.ORDER_STATE_CANCELED, arrives)
        return self._answered(form, form.order, state, at_msc, arrives)

    def _change(self, form: TradeRequest, state: AccountBooks, at_msc: int) -> AcceptedFill:
        """Give a working order other terms, under which it works from when that arrives."""
        order, arrives = self._still_working(form, state, at_msc)
        changed = pending.changed(order, form, arrives)
        if changed == order:
            raise Refused(mt5.TRADE_RETCODE_NO_CHANGES, "No changes")
        pending.check_form(changed.form)
        known = self.pricing.known(order.feed, at_msc)
        quote = self._market.tape(*order.feed).last_until(arrives)
        if quote is None or not is_open(known.session, arrives * 1000):
            raise Refused(mt5.TRADE_RETCODE_MARKET_CLOSED, "Market closed")
        pending.check_price(changed.form, quote)
        state.working[order.ticket] = replace(changed, seen_msc=arrives - 1)
        return self._answered(form, form.order, state, at_msc, arrives)

    def _still_working(
        self, form: TradeRequest, state: AccountBooks, at_msc: int
    ) -> tuple[PendingOrder, int]:
        """The order that a request is about, and when the request arrives."""
        order = state.working.get(form.order)
        if order is None:
            raise Refused(mt5.TRADE_RETCODE_INVALID_ORDER, f"No working order {form.order}")
        about = form._replace(symbol=order.form.symbol)
        friction = self._draw(self._frictions, about, order.feed[0], at_msc, self._seed)
        arrives = max(at_msc + friction.latency_ms, order.seen_msc + 1)
        if pending.moment(order, self._market.tape(*order.feed), arrives):
            raise Refused(mt5.TRADE_RETCODE_INVALID_ORDER, f"Order {form.order} was done before")
        return order, arrives

    def _answered(
        self, form: TradeRequest, ticket: int, state: AccountBooks, at_msc: int, time_msc: int
    ) -> AcceptedFill:
        """An accepted request that makes no deal."""
        state.at_msc = max(state.at_msc, at_msc)
        done = self._result(form, mt5.TRADE_RETCODE_DONE, comment="Request executed")
        return AcceptedFill(done._replace(order=ticket, volume=form.volume), time_msc, state)

    def _advance(self, state: AccountBooks, until_msc: int) -> None:
        """To a time: what waits is filled or expires, each when its moment comes."""
        while (coming := self._coming(state, until_msc)) is not None:
            order, moment = coming
            self._advance_positions(state, moment.time_msc)
            if moment.quote is None:
                state.retire(order, mt5.ORDER_STATE_EXPIRED, moment.time_msc)
            else:
                self._trigger(state, order, moment.quote)
        self._advance_positions(state, until_msc)

    def _coming(self, state: AccountBooks, until_msc: int) -> tuple[PendingOrder, Moment] | None:
        """What happens first to a working order up to a time; the others' quotes are done with."""
        coming = []
        for ticket, order in state.working.items():
            moment = pending.moment(order, self._market.tape(*order.feed), until_msc)
            if moment is not None:
                coming.append((order, moment))
            elif order.seen_msc < until_msc:
                state.working[ticket] = replace(order, seen_msc=until_msc)
        return min(coming, key=lambda pair: (pair[1].time_msc, pair[0].ticket), default=None)

    def _trigger(self, state: AccountBooks, order: PendingOrder, quote: Quote) -> None:
        """Fill a working order, or remove it where there is no money for it."""
        form, time_msc = pending.as_deal(order), quote.time_msc
        price, whole = pending.fill_price(order, quote), order.next_part >= order.left
        part_of = 0 if whole else order.ticket
        deal = BookedDeal(price, time_msc, order.placed_msc, 0.0, order=part_of, placed=order)
        try:
            known = self.pricing.known(order.feed, time_msc)
            held = self._met(form, state) if not order.position else _first_part(order, state)
            if held is not None:
                self._meet(form, state, known, held, quote, deal)
            else:
                costs = self._affordable(form, state, known, order.feed, quote, price)
                state.open(form, order.feed, deal._replace(commission=-costs[1], margin=costs[0]))
        except Refused as refusal:
            state.retire(order, mt5.ORDER_STATE_REJECTED, time_msc, refusal.comment)
            return
        if not whole:
            self._keep_rest(state, order, time_msc, held.identifier if held else order.ticket)

    def _keep_rest(
        self, state: AccountBooks, order: PendingOrder, time_msc: int, position: int
    ) -> None:
        """What is left of one that filled in part waits on, or is cancelled as its form says."""
        rest = replace(
            order, filled=round(order.filled + order.next_part, 8), position=position,
            seen_msc=time_msc + order.form.deviation,
        )  # fmt: skip
        state.working[order.ticket] = rest
        if order.form.type_filling == mt5.ORDER_FILLING_IOC:
            state.retire(rest, mt5.ORDER_STATE_CANCELED, time_msc)

    def _advance_positions(self, state: AccountBooks, until_msc: int) -> None:
        """To a time: swaps, stops and take-profits, and the broker's closing for want of margin."""
        while state.positions and (moment := self._doubtful(state, until_msc)) is not None:
            self._move(state, moment)
            self._close_out(state, moment)
        self._move(state, until_msc)

    def _doubtful(self, state: AccountBooks, until_msc: int) -> int | None:
        """When equity has to be worked out next, up to a time."""
        held = state.positions.values()
        begin = max(state.at_msc, *(position.time_msc for position in held))
        if begin >= until_msc:
            return None
        if state.guard is None:
            totals = self.totals(state, begin)
            headroom = totals.equity - stop_out.LEVEL * totals.margin
            if stop_out.is_due(totals.equity, totals.margin):
                return begin
            valued = [self.pricing.valued(position, begin) for position in held]
            state.guard = stop_out.guard(headroom, valued, next_rollover(begin))
        moments = [state.guard.until_msc] if state.guard.until_msc <= until_msc else []
        for position in held:
            price = state.guard.prices.get(position.ticket)
            if price is not None:
                tape = self._market.tape(*position.feed)
                crossing = tape.first_beyond(begin, until_msc, price, long=position.long)
                moments += [crossing] if crossing else []
        return min(moments, default=None)

    def _close_out(self, state: AccountBooks, at_msc: int) -> None:
        """Close what loses most until there is margin enough; then guard anew from here."""
        while state.positions:
            totals = self.totals(state, at_msc)
            if not stop_out.is_due(totals.equity, totals.margin):
                break
            worst = min(
                state.positions.values(),
                key=lambda p: (self.pricing.floating(p, at_msc)[1] + p.swap, p.ticket),
            )
            price, profit = self.pricing.floating(worst, at_msc)
            known = self.pricing.known(worst.feed, at_msc)
            deal = BookedDeal(
                price, at_msc, at_msc, -money(known.commission * worst.volume), profit, 0.0,
                mt5.DEAL_REASON_SO,
            )  # fmt: skip
            state.close(worst, stop_out.form(worst, totals.equity, totals.margin), deal)
        state.guard = None

    def _move(self, state: AccountBooks, until_msc: int) -> None:
        exits: list[tuple[int, int, AccountPosition, ReachedExit]] = []
        for ticket, position in state.positions.items():
            settled, reached = self._settled(position, until_msc)
            state.positions[ticket] = settled
            if reached:
                exits.append((reached.quote.time_msc, ticket, settled, reached))
        for _, _, position, reached in sorted(exits, key=lambda item: item[:2]):
            self._exit(state, position, reached)
        state.at_msc = max(state.at_msc, until_msc)

    def _exit(self, state: AccountBooks, position: AccountPosition, reached: ReachedExit) -> None:
        """Book a stop or take-profit, with the comment MetaTrader 5 gives it."""
        time_msc = reached.quote.time_msc
        known = self.pricing.known(position.feed, time_msc)
        profit = self.pricing.profit(position, position.volume, reached.price, time_msc)
        commission = -money(known.commission * position.volume)
        form = operations.exit_form(position, reached.reason, known.digits)
        deal = BookedDeal(
            reached.price, time_msc, time_msc, commission, profit, 0.0, reached.reason
        )
        state.close(position, form, deal)

    def _settled(
        self, position: AccountPosition, until_msc: int
    ) -> tuple[AccountPosition, ReachedExit | None]:
        """Charge swaps up to a time or to the stop that was reached before it."""
        if until_msc <= position.seen_msc:
            return position, None
        swap, reached = self.pricing.settle(position, until_msc)
        until_msc = reached.quote.time_msc if reached else until_msc
        return replace(position, swap=swap, seen_msc=until_msc), reached

    def _filled(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, quote: Quote, price: float
    ) -> AcceptedFill:
        fill = self._booked(form, state, at_msc, quote.time_msc)
        result = fill.result._replace(
            order=state.deals[-1].order, volume=form.volume, price=price, bid=quote.bid,
            ask=quote.ask,
        )  # fmt: skip
        return fill._replace(result=result)

    def _booked(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, time_msc: int
    ) -> AcceptedFill:
        state.at_msc = max(state.at_msc, at_msc)
        done = self._result(form, mt5.TRADE_RETCODE_DONE, comment="Request executed")
        return AcceptedFill(done._replace(deal=state.deals[-1].ticket), time_msc, state)

    def _result(self, form: TradeRequest, retcode: int, comment: str) -> OrderSendResult:
        return OrderSendResult(
            retcode=retcode, deal=0, order=0, volume=0.0, price=0.0, bid=0.0, ask=0.0,
            comment=comment, request_id=self.accepted + 1, retcode_external=0, request=form,
        )  # fmt: skip


def _first_part(order: PendingOrder, state: AccountBooks) -> AccountPosition:
    """The position that the first part of an order opened, or went into."""
    held = [p for p in state.positions.values() if p.identifier == order.position]
    if not held:
        raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
    return held[0]


def _order(form: TradeRequest) -> int:
    return form.order if form.action == operations.PART else 0


def trade_request(request: Mapping[str, Any]) -> TradeRequest:
    """A request's fields with the package's types; unknown names are ignored, as it does."""
    empty = TradeRequest()
    return TradeRequest(
        **{
            name: type(getattr(empty, name))(request[name])
            for name in empty._fields
            if name in request
        }
    )
