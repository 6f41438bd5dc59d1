"""What waits at the venue is taken back: when trading is halted or reduced, or its time is over.

Whatever of ours rests there goes at a halt: also what is left of a market order. Orders that a
strategy placed to wait go too when they end, when it asks, and when nothing may open just now. What
became of them the reconciler reads from the history, as of any order.
"""

import logging

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import WorkingOrder
from core.clock import Clock
from core.contracts.order import EventKind as Kind
from core.crashpoint import reach
from execution.journal import events
from execution.journal.book import Working
from execution.journal.ledger import Ledger
from execution.risk.context import PreTradeRisk

_log = logging.getLogger(__name__)
_AGAIN_US = 2_000_000


class WorkingOrders:
    """Cancels orders of ours; who sent one, its magic number says."""

    def __init__(self, clock: Clock, ledger: Ledger, venue: Venue) -> None:
        self._clock, self._ledger, self._venue = clock, ledger, venue
        self._requested_us: dict[int, int] = {}

    def cancel(self) -> None:
        """Request it for all of them once, and for what is still there every few seconds.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        for order in self._venue.working():
            if order.magic in self._ledger.book.magics:
                self._once(order, "trading is halted")

    def withdraw(self, risk: PreTradeRisk) -> bool:
        """Take back what may wait no longer; whether anything was asked for.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book, any_ = self._ledger.book, False
        for order_id, working in list(book.working.items()):
            reason = risk.withdrawal(working) if book.rests(order_id) else ""
            if reason:
                any_ |= self._once(self._at_venue(order_id, working), reason)
        return any_

    def take_back(self, order_id: str, reason: str) -> None:
        """Request the end of one, now if the venue holds it, else when it does."""
        book = self._ledger.book
        working = book.working[order_id]
        if book.rests(order_id):
            self._once(self._at_venue(order_id, working), reason)
        elif not working.cancelling:
            now = self._clock.now_us()
            submitted = book.unsettled[order_id]
            self._ledger.record([events.later(submitted, Kind.CANCELLING, now, reason)])

    def _at_venue(self, order_id: str, working: Working) -> WorkingOrder:
        e = self._ledger.book.unsettled[order_id]
        return WorkingOrder(working.ticket, e.source, e.symbol, e.volume, magic_of(order_id))

    def _once(self, order: WorkingOrder, reason: str) -> bool:
        now, before = self._clock.now_us(), self._requested_us.get(order.ticket)
        if before is not None and abs(now - before) < _AGAIN_US:  # a clock may be set back
            return False
        self._requested_us[order.ticket] = now
        self._cancel(order, reason)
        return True

    def _cancel(self, order: WorkingOrder, reason: str) -> None:
        book = self._ledger.book
        submitted = book.unsettled.get(book.magics[order.magic])
        if submitted is not None:
            now = self._clock.now_us()
            cancelling = events.later(submitted, Kind.CANCELLING, now, reason)
            self._ledger.record([cancelling])
            self._ledger.sync()
        reach("execution.cancel.before")
        answer = self._venue.cancel(order)
        _log.warning("order %s at the venue: %s %s", order.ticket, answer.kind, answer.reason)
