"""Signals that are journalled and trade nothing: replaced, refused, seen before."""

from collections.abc import Sequence

from msgspec.structs import replace

from core.clock import Clock
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.order import EventKind as Kind
from core.contracts.signal import Signal
from execution.journal import events
from execution.journal.identity import order_id
from execution.journal.ledger import Ledger
from execution.journal.records import Record
from execution.order_path.quotes import Quotes
from execution.order_path.wanted import NO_LEG, WantedOrders
from execution.risk.checks import Denial
from execution.risk.context import Contexts


class UntradedSignals:
    """Journals them."""

    def __init__(
        self, clock: Clock, ledger: Ledger, quotes: Quotes, contexts: Contexts, wanted: WantedOrders
    ) -> None:
        self._clock, self._ledger, self._quotes = clock, ledger, quotes
        self._contexts, self._wanted = contexts, wanted

    def supersede(self, signals: Sequence[Signal]) -> None:
        """Journal signals that newer targets replaced before anything was sent.

        Together, for each append may wait for the disk once.
        """
        records: list[Record] = []
        for signal in signals:
            now = self._clock.now_us()
            quote = self._quotes.at(signal.source, signal.symbol, now)
            order = self._wanted.of(signal, NO_LEG, quote, now)
            superseded = replace(order, kind=Kind.SUPERSEDED)
            records += (signal, events.received(order, signal), superseded)
        self._ledger.record(records)

    def refuse(self, refused: Sequence[tuple[Signal, Denial]]) -> None:
        """Journal signals that are not taken up (see `admission`), each once.

        Without the signal, and under a name of its own: what is refused supersedes nothing and
        does not make another signal with its id a duplicate. Its date is no date to store.
        """
        now, denials = self._clock.now_us(), dict[str, Record]()
        for signal, denial in refused:
            name = order_id(signal.signal_id, "refused")
            if name not in self._ledger.book.orders:
                order = self._wanted.of(signal, NO_LEG, None, now)
                order = replace(order, order_id=name, ts_event_us=min(order.ts_event_us, now))
                denials[name] = self._denied_unseen(order, denial)
        self._ledger.record(denials.values())

    def deny_duplicate(self, signal: Signal) -> None:
        """Journal that a signal came again, once."""
        order = self._wanted.of(signal, NO_LEG, None, self._clock.now_us())
        name = order_id(signal.signal_id, "duplicate")
        if name not in self._ledger.book.orders:  # a third copy adds nothing
            denial = Denial(DenialReason.DUPLICATE, 1.0, 2.0)
            self._ledger.record([self._denied_unseen(replace(order, order_id=name), denial)])

    def _denied_unseen(self, order: OrderEvent, denial: Denial) -> OrderEvent:
        """DENIED without a look at the limits."""
        return events.denied(order, denial, self._contexts.version(order.symbol))
