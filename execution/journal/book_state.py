"""What execution knows of orders, positions and profit, and what others ask of it.

`execution/journal/book.py` folds the journal's records into it.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from adapters.mt5.venue.recognition import magic_of
from core.contracts.order import EventKind as Kind
from core.contracts.order import ExecutionMarker, OrderEvent
from core.contracts.signal import AnySignal, OrderSignal, Signal
from execution.journal import lifecycle
from execution.journal.brokerage import Brokerage
from execution.journal.identity import order_id
from execution.journal.position import Key, Position, Terms
from execution.journal.working import FirstFilled, Working, group_of, subject

_MINUTE_US = 60_000_000


class Order(msgspec.Struct):
    """One order: its last event's kind, and how many there were."""

    kind: Kind
    count: int


class BookState:
    """The state after all records that were folded in so far."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.positions: dict[int, Position] = {}
        self.unsettled: dict[str, OrderEvent] = {}  # by order id: the SUBMITTED event
        self.working: dict[str, Working] = {}  # of those, by order id: what waits for a price
        self.deals: set[int] = set()
        self.last: OrderEvent | None = None
        self.marker: ExecutionMarker | None = None
        self.lease = 0  # the highest number this journal traded under
        #: Orders that went nowhere, for the account was another's, or trading halted before they
        #: were sent: what is traded under their names, another execution trades.
        self.fenced: set[str] = set()
        self.foreign_until = 0  # signals until this one on the bus are another execution's
        self.first_us = 0  # when the first event was journalled
        self.latest_us = 0  # newest ts_init of an event
        self.broker = Brokerage()
        self.residue: dict[tuple[str, str], float] = {}  # by feed, see `virtual.NETTING`
        self.first_filled: dict[Key, FirstFilled] = {}  # by `group_of` a signal
        self._closing: tuple[int, list[int]] = (0, [])  # the last deal that closed, and positions
        self._magics: dict[int, str] = {}
        self._unnamed: list[str] = []  # orders submitted that are not in it yet
        self._terms: dict[str, Terms] = {}  # by signal
        self._turning: dict[Key, str] = {}  # the newest signal that closed something first
        self._received: set[str] = set()
        self._newest: dict[Key, Signal] = {}
        self._newest_us: dict[Key, int] = {}  # when it was made, or received if that was before
        self._read: AnySignal | None = None  # the last one; its RECEIVED event follows
        self.from_future = 0  # signals received that count for nothing that comes after them
        self._entries: dict[tuple[str, str], deque[int]] = {}
        self._realised: dict[Key, float] = {}

    def received(self, signal_id: str) -> bool:
        """Whether a signal was acted on, or denied."""
        return signal_id in self._received

    @property
    def magics(self) -> dict[int, str]:
        """Orders submitted, by the number that their deals carry; named when somebody looks."""
        self._magics.update((magic_of(name), name) for name in self._unnamed)
        self._unnamed.clear()
        return self._magics

    def is_outdated(self, signal: Signal) -> bool:
        """Whether a target made after this one was taken up before: messages may be reordered.

        One that was dated after it was received counts as made then: it supersedes nothing that
        is made later.
        """
        return signal.ts_event_us < self._newest_us.get(subject(signal), 0)

    def half_turned(self) -> list[Signal]:
        """Targets whose closings are done and that neither opened their position nor said why."""
        signals = []
        for key, name in self._turning.items():
            newest = self._newest.get(key)
            if newest is None or newest.signal_id != name or not newest.target:
                continue
            against = any(p.volume * newest.target < 0 for p in self.of(key))
            entered = order_id(name, "entry") in self.orders
            if not against and not entered and not self.is_blocked(*key[1:]):
                signals.append(newest)
        return signals

    def take_profit(self, submitted: OrderEvent) -> float:
        """Where the venue shall close what an order opens with a gain; 0: nowhere."""
        known = self._terms.get(submitted.signal_id)
        return known.take_profit if known and submitted.purpose == "entry" else 0.0

    def count(self, order_id: str) -> int:
        """Events of an order so far."""
        order = self.orders.get(order_id)
        return order.count if order else 0

    def of(self, key: Key) -> list[Position]:
        """Open positions of one strategy in one feed, oldest first."""
        return [p for p in self.positions.values() if p.key == key]

    def of_feed(self, source: str, symbol: str) -> list[Position]:
        """Open positions of all strategies in one feed, oldest first."""
        return [p for p in self.positions.values() if p.key[1:] == (source, symbol)]

    def account_lots(self, source: str, symbol: str) -> float:
        """Signed lots of a feed that the account must hold: ours and others'."""
        held = sum(p.volume for p in self.of_feed(source, symbol))
        foreign = self.broker.foreign.values()
        theirs = sum(f.volume for f in foreign if (f.source, f.symbol) == (source, symbol))
        return round(held + theirs, 8)

    def net(self, key: Key) -> float:
        """Signed lots held by one strategy in one feed."""
        return round(sum(p.volume for p in self.of(key)), 8)

    def realised(self, key: Key) -> float:
        """Profit after commission and swap since the run began, account currency."""
        return round(self._realised.get(key, 0.0), 2)

    def traded(self) -> tuple[Key, ...]:
        """Whoever ever had a fill."""
        return tuple(self._realised)

    def entries_within_minute(self, source: str, symbol: str, now_us: int) -> int:
        """Entries submitted for a feed in the minute before a time."""
        times = self._entries.get((source, symbol))
        if not times:
            return 0
        while times and times[0] <= now_us - _MINUTE_US:
            times.popleft()
        return len(times)

    def is_blocked(self, source: str, symbol: str) -> bool:
        """Whether an order of a feed is unsettled: then nothing else may be sent for it.

        One that the venue holds until its price comes holds nothing back.
        """
        return any(
            (e.source, e.symbol) == (source, symbol) and not self.rests(name)
            for name, e in self.unsettled.items()
        )

    def rests(self, order_id: str) -> bool:
        """Whether the venue is known to hold an order that waits for its price."""
        return order_id in self.working and self.orders[order_id].kind in lifecycle.AT_VENUE

    def waiting(self, source: str, symbol: str) -> list[OrderEvent]:
        """Orders of a feed that wait for their price, or are on their way to: as submitted."""
        orders = [self.unsettled[name] for name in self.working]
        return [e for e in orders if (e.source, e.symbol) == (source, symbol)]

    @contextmanager
    def without(self, order_id: str) -> Iterator[None]:
        """As if an order that works had not been placed: to check it anew under other terms."""
        unsettled, working = self.unsettled, self.working
        self.unsettled = {name: e for name, e in unsettled.items() if name != order_id}
        self.working = {name: w for name, w in working.items() if name != order_id}
        try:
            yield
        finally:
            self.unsettled, self.working = unsettled, working

    def came_too_late(self, signal: OrderSignal) -> bool:
        """Whether another order of a signal's group was filled since the signal was made."""
        first = self.first_filled.get(group_of(signal)) if signal.one_of else None
        return first is not None and signal.ts_event_us <= first.ts_us

    def is_beaten(self, order_id: str) -> bool:
        """Whether another order of its group was filled since one that works was asked for."""
        signal = self.working[order_id].signal
        return (
            self.came_too_late(signal) and self.first_filled[group_of(signal)].order_id != order_id
        )

    def named(self, signal: OrderSignal) -> str | None:
        """The working order of a signal's strategy, feed and name; None when none works."""
        chosen = subject(signal)
        return next((n for n, w in self.working.items() if subject(w.signal) == chosen), None)
