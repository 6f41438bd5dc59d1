"""Other terms for an order that works at the venue: journal, ask, journal what the venue did.

What the venue shows says which terms hold, so a lost answer or a restart is settled by looking.
An order of which that stays in doubt is taken back: what arrives late then meets nothing.
"""

import logging

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import Outcome, WorkingOrder
from core.clock import Clock, SystemTimer, Timer
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal
from core.crashpoint import reach
from core.errors import UnavailableError
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.records import Record

_log = logging.getLogger(__name__)
_WAIT_S = 0.01
_SURE_S = 60.0
DOUBT = "nobody knows under which terms it waits"


class OrderChanges:
    """Changes orders of ours in place.

    Args:
        repeatable: a replay, where a request without an answer may be sent again at once.
        late_s: how long one without an answer may still arrive at the broker.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger, venue: Venue, *, repeatable: bool = False,
        late_s: float = 10.0, timer: Timer | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._ledger, self._venue = clock, ledger, venue
        self._repeatable, self._late_us = repeatable, round(late_s * 1e6)
        self._timer: Timer = timer or SystemTimer()

    def note(self, name: str, terms: OrderSignal, preceding: list[Record]) -> None:
        """Journal that other terms are asked for, before they are."""
        now = self._clock.now_us()
        modifying = events.modified(self._submitted(name), Kind.MODIFYING, terms, now)
        self._ledger.record([*preceding, modifying])
        self._ledger.sync()

    def refuse(self, name: str, reason: str) -> None:
        """Journal that the old terms hold."""
        submitted, terms = self._submitted(name), self._ledger.book.working[name].signal
        now = self._clock.now_us()
        self._ledger.record([events.modified(submitted, Kind.UNMODIFIED, terms, now, reason)])

    def send(self, name: str) -> None:
        """Ask the venue for the terms that were noted.

        Raises:
            UnavailableError: a replay's venue does not say which terms hold.
        """
        deadline = self._timer.seconds() + _SURE_S
        while True:
            answer = self._once(name)
            if answer.kind != "unknown":
                self._conclude(name, answer)
                return
            if not self._repeatable:
                _log.warning("order %s: no answer to its change (%s)", name, answer.reason)
                return
            if self._timer.seconds() > deadline:
                raise UnavailableError(
                    f"order {name}: the terminal does not say what became of its change; restart"
                    " it, execution then goes on"
                )
            self._timer.sleep(_WAIT_S)

    def follow(self) -> None:
        """Look once what became of changes without an answer.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book = self._ledger.book
        doubtful = [name for name, one in book.working.items() if one.modifying is not None]
        if not doubtful:
            return
        there = {order.ticket: order for order in self._venue.working()}
        for name in doubtful:
            order = there.get(book.working[name].ticket)
            if order is not None and book.rests(name):  # else it is over: the history says how
                self._find_changed(name, order)

    def hindrance(self, signal: OrderSignal) -> str:
        """Why nothing is asked for: no such order, or it is on its way somewhere; else ""."""
        book, order = self._ledger.book, f"order {signal.name!r}"
        name = book.named(signal)
        if name is None:
            return f"no {order} works"
        working = book.working[name]
        if not book.rests(name):
            return f"{order} is not known to be at the venue"
        if book.orders[name].kind is Kind.PARTIALLY_FILLED:
            return f"{order} is filled in part"
        if working.cancelling_us:
            return f"{order} is being taken back"
        if working.modifying is not None:
            return f"{order} is being changed"
        return f"{order} has these terms" if working.under(signal) == working.signal else ""

    def in_doubt(self, name: str) -> bool:
        """Whether a change has had no answer for so long that none is awaited any more."""
        working = self._ledger.book.working[name]
        waited_us = abs(self._clock.now_us() - working.modified_us)  # a clock may be set back
        return working.modifying is not None and waited_us >= self._late_us

    def _once(self, name: str) -> Outcome:
        """Send it, where the venue does not show it already."""
        working = self._ledger.book.working[name]
        terms = working.under(self._terms(name))
        order = self._shown(working.ticket) if self._repeatable else None
        if order is not None and self._has(order, terms):
            return Outcome("done")
        submitted = self._submitted(name)
        if order is None:
            order = WorkingOrder(
                working.ticket, submitted.source, submitted.symbol, submitted.volume,
                magic_of(name),
            )  # fmt: skip
        reach("execution.modify.before")
        request = events.venue_order(events.under(submitted, terms), 0.0, terms.take_profit, terms)
        answer = self._venue.change(order, request)
        reach("execution.modify.after")
        return answer

    def _find_changed(self, name: str, order: WorkingOrder) -> None:
        working = self._ledger.book.working[name]
        if self._has(order, working.under(self._terms(name))):
            self._conclude(name, Outcome("done"))

    def _shown(self, ticket: int) -> WorkingOrder | None:
        return next((o for o in self._venue.working() if o.ticket == ticket), None)

    def _has(self, order: WorkingOrder, terms: OrderSignal) -> bool:
        specification = self._venue.specification(order.source, order.symbol)
        near = specification.point / 2 if specification else 1e-9
        shown = order.price, order.stop_price, order.take_profit
        wanted = terms.entry_price, terms.stop_price, terms.take_profit
        ends = terms.expiry != "specified" or order.expires_s == terms.expires_us // 1_000_000
        return ends and all(abs(a - b) < near for a, b in zip(shown, wanted, strict=True))

    def _conclude(self, name: str, answer: Outcome) -> None:
        if answer.kind != "done":
            self.refuse(name, answer.reason)
            return
        submitted, terms = self._submitted(name), self._terms(name)
        now = self._clock.now_us()
        self._ledger.record([events.modified(submitted, Kind.MODIFIED, terms, now)])

    def _terms(self, name: str) -> OrderSignal:
        terms = self._ledger.book.working[name].modifying
        assert terms is not None
        return terms

    def _submitted(self, name: str) -> OrderEvent:
        return self._ledger.book.unsettled[name]
