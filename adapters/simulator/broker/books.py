"""The books of the simulated account: balance, positions, orders, deals, and their tickets.

Tickets count up from 1 in the order of bookings, so equal requests give equal tickets. As in
MetaTrader 5, a position's ticket is that of the order that opened it, and the deposit is a deal.
"""

from typing import NamedTuple

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeDeal, TradeOrder, TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker.booked import Booked
from adapters.simulator.broker.costs import money
from adapters.simulator.broker.matching import AccountPosition
from adapters.simulator.broker.pending import FIRST_TICKET, PendingOrder, shown
from adapters.simulator.broker.stop_out import Guard


class BookedDeal(NamedTuple):
    """How a request was executed. Money in account currency; `commission` is negative."""

    price: float
    time_msc: int
    sent_msc: int
    commission: float
    profit: float = 0.0
    margin: float = 0.0  # of what it opens
    reason: int = mt5.DEAL_REASON_EXPERT
    order: int = 0  # a further part of this one; 0: an order of its own
    placed: PendingOrder | None = None  # the working order that it fills


class AccountBooks:
    """Books that `copy` can branch, so that a request is decided without changing them."""

    def __init__(self, balance: float, opened_msc: int = 0) -> None:
        self.balance, self.credit = balance, 0.0
        self.at_msc = 0
        self.guard: Guard | None = None  # against stop-out; None: to be worked out
        self.positions: dict[int, AccountPosition] = {}
        self.working: dict[int, PendingOrder] = {}
        self._placed = 0  # working orders ever taken
        self.orders: Booked[TradeOrder] = Booked()
        self.deals: Booked[TradeDeal] = Booked()
        self._operation(
            mt5.DEAL_TYPE_BALANCE, mt5.DEAL_REASON_CLIENT, balance, opened_msc, "deposit"
        )

    def copy(self) -> "AccountBooks":
        """An independent branch of the books."""
        branch = AccountBooks.__new__(AccountBooks)
        branch.balance, branch.credit, branch.at_msc = self.balance, self.credit, self.at_msc
        branch.positions, branch.guard = dict(self.positions), self.guard
        branch.working, branch._placed = dict(self.working), self._placed
        branch.orders, branch.deals = self.orders.branch(), self.deals.branch()
        return branch

    def place(self, form: TradeRequest, feed: Feed, sent: int, expires: int, seen: int) -> int:
        """Keep an order that waits for its price; its ticket. Times in milliseconds."""
        ticket = FIRST_TICKET + self._placed
        self._placed += 1
        self.working[ticket] = PendingOrder(ticket, feed, form, sent, expires, seen)
        return ticket

    def retire(self, order: PendingOrder, state: int, time_msc: int, comment: str = "") -> None:
        """Book the end of a working order that nothing filled; `state`: an ORDER_STATE_*."""
        del self.working[order.ticket]
        self.orders.append(shown(order, state, time_msc, comment), time_msc)

    def open(self, form: TradeRequest, feed: Feed, deal: BookedDeal) -> None:
        """Book an entry as a position of its own."""
        ticket = self._ticket(deal)
        long, time_msc = form.type == mt5.ORDER_TYPE_BUY, deal.time_msc
        self.positions[ticket] = AccountPosition(
            ticket=ticket, feed=feed, symbol=form.symbol, long=long, volume=form.volume,
            price=deal.price, time_msc=time_msc, updated_msc=time_msc, seen_msc=time_msc,
            sl=form.sl, tp=form.tp, swap=0.0, margin=deal.margin, magic=form.magic,
            comment=form.comment, identifier=ticket,
        )  # fmt: skip
        self._book(self.positions[ticket], form, mt5.DEAL_ENTRY_IN, deal, 0.0)

    def add(self, held: AccountPosition, form: TradeRequest, deal: BookedDeal) -> None:
        """Book an entry into a position that is open (netting); stops that are given replace."""
        volume = round(held.volume + form.volume, 8)
        price = (held.price * held.volume + deal.price * form.volume) / volume
        self.positions[held.ticket] = replace(
            held, volume=volume, price=round(price, 8), updated_msc=deal.time_msc,
            sl=form.sl or held.sl, tp=form.tp or held.tp, margin=money(held.margin + deal.margin),
        )  # fmt: skip
        self._book(self.positions[held.ticket], form, mt5.DEAL_ENTRY_IN, deal, 0.0)

    def close(self, position: AccountPosition, form: TradeRequest, deal: BookedDeal) -> None:
        """Book an exit of all or part of a position; swap goes in proportion."""
        left = round(position.volume - form.volume, 8)
        swap = position.swap if left <= 0 else money(position.swap * form.volume / position.volume)
        if left <= 0:
            del self.positions[position.ticket]
        else:
            self.positions[position.ticket] = replace(
                position, volume=left, swap=money(position.swap - swap), updated_msc=deal.time_msc,
                margin=money(position.margin * left / position.volume),
            )  # fmt: skip
        self._book(position, form, mt5.DEAL_ENTRY_OUT, deal, swap)

    def reverse(self, held: AccountPosition, form: TradeRequest, deal: BookedDeal) -> None:
        """Book one deal that closes a position and opens the rest the other way (netting).

        The position keeps its identifier and takes the ticket of the order that turned it.
        """
        del self.positions[held.ticket]
        ticket = self._ticket(deal)
        self.positions[ticket] = replace(
            held, ticket=ticket, long=not held.long, volume=round(form.volume - held.volume, 8),
            price=deal.price, time_msc=deal.time_msc, updated_msc=deal.time_msc,
            seen_msc=deal.time_msc, sl=form.sl, tp=form.tp, swap=0.0, margin=deal.margin,
            magic=form.magic, comment=form.comment,
        )  # fmt: skip
        self._book(held, form, mt5.DEAL_ENTRY_INOUT, deal, held.swap)

    def operate(self, form: TradeRequest, time_msc: int) -> None:
        """Book money that is no trade: `type` is its DEAL_TYPE_*, `price` the amount."""
        if form.type == mt5.DEAL_TYPE_CREDIT:
            self.credit = money(self.credit + form.price)
        else:
            self.balance = money(self.balance + form.price)
        self._operation(form.type, mt5.DEAL_REASON_CLIENT, form.price, time_msc, form.comment)

    def _ticket(self, deal: BookedDeal) -> int:
        return deal.placed.ticket if deal.placed else len(self.orders) + 1

    def _operation(
        self, kind: int, reason: int, amount: float, time_msc: int, comment: str
    ) -> None:
        ticket, self.guard = len(self.deals) + 1, None
        self.deals.append(
            TradeDeal(
                ticket=ticket, order=0, time=time_msc // 1000, time_msc=time_msc, type=kind,
                entry=mt5.DEAL_ENTRY_IN, magic=0, position_id=0, reason=reason, volume=0.0,
                price=0.0, commission=0.0, swap=0.0, profit=amount, fee=0.0, symbol="",
                comment=comment, external_id="",
            ),
            time_msc,
        )  # fmt: skip

    def _book(
        self,
        position: AccountPosition,
        form: TradeRequest,
        entry: int,
        deal: BookedDeal,
        swap: float,
    ) -> None:
        """One finished order and its deal."""
        done, side = deal.time_msc, form.type
        order, ticket = deal.order or self._ticket(deal), len(self.deals) + 1
        self.balance = money(self.balance + deal.commission + swap + deal.profit)
        self.guard = None
        if not deal.order:
            self._finish(position, form, deal, order)
        self.deals.append(
            TradeDeal(
                ticket=ticket, order=order, time=done // 1000, time_msc=done, type=side,
                entry=entry, magic=form.magic, position_id=position.identifier, reason=deal.reason,
                volume=form.volume, price=deal.price, commission=deal.commission, swap=swap,
                profit=deal.profit, fee=0.0, symbol=position.symbol, comment=form.comment,
                external_id="",
            ),
            done,
        )  # fmt: skip

    def _finish(
        self, position: AccountPosition, form: TradeRequest, deal: BookedDeal, order: int
    ) -> None:
        setup, done, side = deal.sent_msc, deal.time_msc, form.type
        if deal.placed:
            del self.working[order]
            filled = shown(deal.placed, mt5.ORDER_STATE_FILLED, done)
            filled = filled._replace(position_id=position.identifier, price_current=deal.price)
            self.orders.append(filled._replace(volume_current=0.0), done)
            return
        self.orders.append(
            TradeOrder(
                ticket=order, time_setup=setup // 1000, time_setup_msc=setup,
                time_done=done // 1000, time_done_msc=done, time_expiration=0, type=side,
                type_time=mt5.ORDER_TIME_GTC, type_filling=form.type_filling,
                state=mt5.ORDER_STATE_FILLED, magic=form.magic, position_id=position.identifier,
                position_by_id=0, reason=deal.reason, volume_initial=form.volume,
                volume_current=0.0, price_open=deal.price, sl=position.sl, tp=position.tp,
                price_current=deal.price, price_stoplimit=0.0, symbol=position.symbol,
                comment=form.comment, external_id="",
            ),
            done,
        )  # fmt: skip
