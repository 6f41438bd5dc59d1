"""What waits at the venue is taken back: when trading is halted or reduced, or its time is over.

Whatever of ours rests there goes at a halt: also what is left of a market order. Orders that a
strategy placed to wait go too when they end, when it asks, and when nothing may open just now. What
became of them the reconciler reads from the history, as of any order.
"""

import logging
from collections.abc import Callable

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import WorkingOrder
from core.clock import Clock
from core.contracts.order import EventKind as Kind
from core.crashpoint import reach
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.working import Working

_log = logging.getLogger(__name__)
_AGAIN_US, _SELDOM_US = 2_000_000, 60_000_000


class WorkingOrders:
    """Cancels orders of ours; who sent one, its magic number says.

    `repeatable`: a replay, where a removal without an answer may be asked for again at once.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger, venue: Venue, *, repeatable: bool = False
    ) -> None:
        self._clock, self._ledger, self._venue = clock, ledger, venue
        self._repeatable = repeatable
        self._requested_us: dict[int, int] = {}

    def cancel(self) -> None:
        """Request it for all of them once, and for what is still there every few seconds.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book, now = self._ledger.book, self._clock.now_us()
        for order in self._venue.working():
            name = book.magics.get(order.magic)
            if name is None or name in book.working or name in book.fenced:
                continue  # another's, or one that `withdraw` looks after
            if self._is_due(self._requested_us.get(order.ticket, 0)):
                self._requested_us[order.ticket] = now
                self._note(name, "trading is halted")
                self._send(order)

    def withdraw(self, why: Callable[[str, Working], str], stopped_us: int = 0) -> bool:
        """Take back what may wait no longer; whether anything was asked for.

        What the venue keeps refusing (a market that is closed) is asked for ever more seldom, at
        last each minute; but at once when trading was stopped since.

        Args:
            why: the reason for one, by its name, "" while it may wait.
            stopped_us: when trading was halted or reduced, microseconds UTC; 0: it is active.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book, asked_for = self._ledger.book, False
        for name, working in list(book.working.items()):
            reason = why(name, working) if book.rests(name) else ""
            wait_us = min(_AGAIN_US << max(working.cancels - 1, 0), _SELDOM_US)
            if stopped_us > working.cancelling_us:
                wait_us = _AGAIN_US
            if reason and self._is_due(working.cancelling_us, wait_us):
                self._note(name, reason)
                self.send(name)
                asked_for = True
        return asked_for

    def take_back(self, name: str, reason: str) -> None:
        """Request the end of one: now if the venue holds it, else when it does."""
        book = self._ledger.book
        if not book.working[name].cancelling_us:
            self._note(name, reason)
            if book.rests(name):
                self.send(name)

    def send(self, name: str) -> None:
        """Have the venue remove an order; that it was asked for is journalled."""
        submitted, ticket = (
            self._ledger.book.unsettled[name],
            self._ledger.book.working[name].ticket,
        )
        feed = submitted.source, submitted.symbol
        self._send(WorkingOrder(ticket, *feed, submitted.volume, magic_of(name)))

    def _is_due(self, before_us: int, wait_us: int = _AGAIN_US) -> bool:
        return abs(self._clock.now_us() - before_us) >= wait_us  # a clock may be set back

    def _note(self, name: str, reason: str) -> None:
        submitted = self._ledger.book.unsettled.get(name)
        if submitted is not None:
            now = self._clock.now_us()
            self._ledger.record([events.later(submitted, Kind.CANCELLING, now, reason)])
            self._ledger.sync()

    def _send(self, order: WorkingOrder) -> None:
        reach("execution.cancel.before")
        answer = self._venue.cancel(order)
        while answer.kind == "unknown" and self._repeatable:
            answer = self._venue.cancel(order)
        if not self._repeatable:
            _log.warning("order %s at the venue: %s %s", order.ticket, answer.kind, answer.reason)
