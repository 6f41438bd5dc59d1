"""What waits at the venue while trading is halted is taken back.

We send market orders only, but one may rest there all the same: filled in part, or placed and
not yet executed. What became of it the reconciler reads from the history, as of any order.
"""

import logging

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import WorkingOrder
from core.clock import Clock, Timer
from core.contracts.order import EventKind as Kind
from core.crashpoint import reach
from execution.journal import events
from execution.journal.ledger import Ledger

_log = logging.getLogger(__name__)
_AGAIN_S = 2.0


class WorkingOrders:
    """Cancels orders of ours; who sent one, its magic number says."""

    def __init__(self, clock: Clock, ledger: Ledger, venue: Venue, timer: Timer) -> None:
        self._clock, self._ledger, self._venue, self._timer = clock, ledger, venue, timer
        self._requested_s: dict[int, float] = {}

    def cancel(self) -> None:
        """Request it for all of them once, and for what is still there every few seconds.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        now_s = self._timer.seconds()
        for order in self._venue.working():
            ours = order.magic in self._ledger.book.magics
            if ours and now_s - self._requested_s.get(order.ticket, float("-inf")) >= _AGAIN_S:
                self._requested_s[order.ticket] = now_s
                self._cancel(order)

    def _cancel(self, order: WorkingOrder) -> None:
        book = self._ledger.book
        submitted = book.unsettled.get(book.magics[order.magic])
        if submitted is not None:
            now = self._clock.now_us()
            cancelling = events.later(submitted, Kind.CANCELLING, now, "trading is halted")
            self._ledger.record([cancelling])
            self._ledger.sync()
        reach("execution.cancel.before")
        answer = self._venue.cancel(order)
        _log.warning("order %s at the venue: %s %s", order.ticket, answer.kind, answer.reason)
