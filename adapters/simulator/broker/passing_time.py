"""What the broker does by itself as time passes: fills, expiries, swaps, stops, the stop-out.

Each happens when its moment comes, in time order.
"""

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import exits, pending, stop_out
from adapters.simulator.broker.books import AccountBooks, BookedDeal
from adapters.simulator.broker.costs import money, next_rollover
from adapters.simulator.broker.entries import Entries
from adapters.simulator.broker.matching import AccountPosition, ReachedExit, Refused
from adapters.simulator.broker.pending import Moment, PendingOrder
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.broker.totals import totals
from adapters.simulator.markets.tape import Quote, TapedMarket


class PassingTime:
    """Moves a state on."""

    def __init__(self, market: TapedMarket, pricing: Pricing, entries: Entries) -> None:
        self._market, self._pricing, self._entries = market, pricing, entries

    def advance(self, state: AccountBooks, until_msc: int) -> None:
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
            known = self._pricing.known(order.feed, time_msc)
            held = (
                self._entries.met(form, state) if not order.position else _first_part(order, state)
            )
            if held is not None:
                self._entries.meet(form, state, known, held, quote, deal)
            else:
                costs = self._entries.affordable(form, state, known, order.feed, quote, price)
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
            now = totals(self._pricing, state, begin)
            headroom = now.equity - stop_out.LEVEL * now.margin
            if stop_out.is_due(now.equity, now.margin):
                return begin
            valued = [self._pricing.valued(position, begin) for position in held]
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
            now = totals(self._pricing, state, at_msc)
            if not stop_out.is_due(now.equity, now.margin):
                break
            worst = min(
                state.positions.values(),
                key=lambda p: (self._pricing.floating(p, at_msc)[1] + p.swap, p.ticket),
            )
            price, profit = self._pricing.floating(worst, at_msc)
            known = self._pricing.known(worst.feed, at_msc)
            deal = BookedDeal(
                price, at_msc, at_msc, -money(known.commission * worst.volume), profit, 0.0,
                mt5.DEAL_REASON_SO,
            )  # fmt: skip
            state.close(worst, stop_out.form(worst, now.equity, now.margin), deal)
        state.guard = None

    def _move(self, state: AccountBooks, until_msc: int) -> None:
        due: list[tuple[int, int, AccountPosition, ReachedExit]] = []
        for ticket, position in state.positions.items():
            settled, reached = exits.settled(self._pricing, position, until_msc)
            state.positions[ticket] = settled
            if reached:
                due.append((reached.quote.time_msc, ticket, settled, reached))
        for _, _, position, reached in sorted(due, key=lambda item: item[:2]):
            exits.book_exit(self._pricing, state, position, reached)
        state.at_msc = max(state.at_msc, until_msc)


def _first_part(order: PendingOrder, state: AccountBooks) -> AccountPosition:
    """The position that the first part of an order opened, or went into."""
    held = [p for p in state.positions.values() if p.identifier == order.position]
    if not held:
        raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "The first part was closed")
    return held[0]
