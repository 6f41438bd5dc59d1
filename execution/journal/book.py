"""What execution knows: orders, positions and profit, as a fold over the journal's records.

Nothing here is stored by itself; a restart folds the journal again. A position is one the venue
opened for an order of ours (hedging accounts hold several of a symbol). It closes at the
horizon of the newest signal that its strategy acted on in its direction.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from adapters.mt5.fence import FENCED
from adapters.mt5.venue.recognition import magic_of
from core.contracts.order import EventKind as Kind
from core.contracts.order import ExecutionMarker, OrderEvent
from core.contracts.signal import AnySignal, OrderSignal, Signal
from core.desk import NETTING
from core.errors import JournalError
from execution.journal import lifecycle
from execution.journal.brokerage import Brokerage
from execution.journal.identity import order_id
from execution.journal.records import LeaseTaken, Record
from execution.journal.virtual import RESIDUE, is_virtual

UNSENT = "before it was sent"  # ends the reason of an order that was journalled and not sent
HELD = "held"  # reason of a RECEIVED event whose target is held already
_MODIFICATIONS = (Kind.MODIFYING, Kind.MODIFIED, Kind.UNMODIFIED)
_MINUTE_US = 60_000_000
_RETRY_US = 1_000_000  # after a refused exit
_AHEAD_US = 300_000_000  # a signal dated later than it was received by more decides nothing later


class Key(NamedTuple):
    """Whose position: one strategy's in one feed."""

    strategy: str
    source: str
    symbol: str


class FirstFilled(NamedTuple):
    """The newest fill in a group of orders of which one is filled."""

    ts_us: int  # of the market
    order_id: str


class Terms(NamedTuple):
    """What a signal says of the end of its position."""

    horizon_us: int
    take_profit: float
    trail: float


class Order(msgspec.Struct):
    """One order: its last event's kind, and how many there were."""

    kind: Kind
    count: int


class Position(msgspec.Struct):
    """One open position of ours. `volume` is signed lots."""

    ticket: int
    key: Key
    volume: float
    price: float
    stop_price: float
    opened_us: int
    order_id: str
    signal_id: str
    horizon_us: int
    refused: int = 0  # exits that did not close it: refused, filled in part, never sent
    retry_us: int = 0  # not before this, after a refused exit
    retry_purpose: str = ""
    take_profit: float = 0.0
    trail: float = 0.0  # distance at which the stop follows; 0: it stays
    moving: float = 0.0  # the stop that was asked for and not answered yet
    moved_us: int = 0  # when one was last asked for
    outgrown: int = 0  # exits that were filled whole and left what had been added meanwhile

    @property
    def attempt(self) -> int:
        """What tells the next exit's order from those before."""
        return self.refused + self.outgrown


class Working(msgspec.Struct):
    """An order of ours that waits at the venue for its price, or is on its way there."""

    signal: OrderSignal
    ticket: int = 0  # the venue's; 0 until it was accepted
    cancelling_us: int = 0  # when its end was last asked for; 0: never
    cancels: int = 0  # how often it was
    modifying: OrderSignal | None = None  # the terms that were asked for and not answered yet
    modified_us: int = 0  # when such were last asked for
    closed: int = 0  # exits of what it had opened by then; a part that fills later begins there

    def under(self, terms: OrderSignal) -> OrderSignal:
        """What asked for it, under other terms: price, exits and end."""
        return replace(
            self.signal, entry_price=terms.entry_price, stop_price=terms.stop_price,
            take_profit=terms.take_profit, trail=terms.trail, horizon_us=terms.horizon_us,
            expires_us=terms.expires_us, expiry=terms.expiry,
        )  # fmt: skip


class Book:
    """The state after all records applied so far."""

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

    def apply(self, record: Record) -> None:
        """Fold one record in.

        Raises:
            JournalError: an impossible transition, or a fill of an unknown position.
        """
        if isinstance(record, OrderEvent):
            self._apply_event(record)
        elif isinstance(record, Signal):
            terms = Terms(record.horizon_us, record.take_profit, record.trail)
            self._terms[record.signal_id] = terms
            self._read = record
        elif isinstance(record, ExecutionMarker):
            self.marker = record
        elif isinstance(record, LeaseTaken):
            self.lease = record.number
            self.foreign_until = record.signals_until or self.foreign_until

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

    def _apply_event(self, event: OrderEvent) -> None:
        order = self.orders.get(event.order_id)
        lifecycle.check(order.kind if order else None, event.kind, event.order_id)
        if event.kind in _MODIFICATIONS:
            self._check_modification(event)
        self.last, self.latest_us = event, max(self.latest_us, event.ts_init_us)
        self.first_us = self.first_us or event.ts_init_us
        self.broker.apply(event)
        if order is None:
            order = self.orders[event.order_id] = Order(event.kind, 0)
        order.count += 1
        if event.kind in lifecycle.ASIDE:
            self._beside(event)
            return
        # The broker closed what it had opened by then; the rest of it still waits.
        waits_on = event.kind is Kind.CLOSED and event.order_id in self.working
        if not waits_on:
            order.kind = event.kind
        if event.kind is Kind.RECEIVED:
            self._receive(event)
        elif event.kind is Kind.SUBMITTED:
            self._submit(event)
        elif event.kind in (Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CLOSED):
            self._fill(event)
        elif event.kind is Kind.BOOKED and event.purpose == RESIDUE:
            self._correct(event)
        elif event.kind is Kind.BOOKED and event.venue_deal > self.broker.watermark:
            self.deals.add(event.venue_deal)
        elif event.kind in (Kind.REJECTED, Kind.CANCELLED, Kind.EXPIRED):
            self._refuse(event)
            if FENCED in event.reason or event.reason.endswith(UNSENT):
                self.fenced.add(event.order_id)
        if event.order_id in self.working and not waits_on:  # a closing has an order of its own
            working = self.working[event.order_id]
            working.ticket = event.venue_order or working.ticket
        if event.kind not in lifecycle.UNSETTLED and not waits_on:
            self.unsettled.pop(event.order_id, None)
            self.working.pop(event.order_id, None)

    def _beside(self, event: OrderEvent) -> None:
        held = self.positions.get(event.venue_position)
        if event.kind is Kind.CANCELLING and event.order_id in self.working:
            working = self.working[event.order_id]
            working.cancelling_us, working.cancels = event.ts_init_us, working.cancels + 1
        if event.kind in _MODIFICATIONS:
            self._modify(event)
        if held is None or event.kind is Kind.CANCELLING:
            return
        if event.kind is Kind.STOP_MOVING:
            held.moving, held.moved_us = event.stop_price, event.ts_init_us
            return
        held.moving = 0.0
        if event.kind is Kind.STOP_MOVED:
            held.stop_price = event.stop_price

    def _check_modification(self, event: OrderEvent) -> None:
        working, signal = self.working.get(event.order_id), self._read
        if working is None:
            raise JournalError(f"order {event.order_id}: {event.kind.value}, and it does not wait")
        if event.kind is not Kind.MODIFYING:
            return
        if not isinstance(signal, OrderSignal) or subject(signal) != subject(working.signal):
            raise JournalError(
                f"order {event.order_id}: it is modified, and the signal that says how is not in"
                " the journal before it"
            )

    def _modify(self, event: OrderEvent) -> None:
        working, signal = self.working[event.order_id], self._read
        if event.kind is Kind.MODIFYING and isinstance(signal, OrderSignal):
            working.modifying, working.modified_us = signal, event.ts_init_us
            return
        if event.kind is Kind.MODIFIED and working.modifying is not None:
            working.signal = working.under(working.modifying)
            self.unsettled[event.order_id] = replace(
                self.unsettled[event.order_id], price=event.price, stop_price=event.stop_price
            )
        working.modifying = None

    def _receive(self, event: OrderEvent) -> None:
        self._received.add(event.signal_id)
        if self._read is not None and self._read.signal_id == event.signal_id:
            self._take_up(self._read, event.ts_init_us)
        if event.reason == HELD:
            self._prolong(_key(event), event.signal_id, self._terms.get(event.signal_id))

    def _take_up(self, signal: Signal, received_us: int) -> None:
        """Count it as the newest of its strategy and feed, unless it came from the future.

        Execution refuses such signals, but journals of before it did may hold one, and it would
        make every later signal look outdated, for ever.
        """
        if signal.ts_event_us > received_us + _AHEAD_US:
            self.from_future += 1
        elif not self.is_outdated(signal):
            key = subject(signal)
            if not isinstance(signal, OrderSignal):
                self._newest[key] = signal
            self._newest_us[key] = min(signal.ts_event_us, received_us)

    def _submit(self, event: OrderEvent) -> None:
        self.unsettled[event.order_id] = event
        self._unnamed.append(event.order_id)
        self._wait(event)
        if event.purpose == "opposite":
            self._turning[_key(event)] = event.signal_id
        if event.purpose == "entry":
            feed = event.source, event.symbol
            self._entries.setdefault(feed, deque()).append(event.ts_init_us)

    def _wait(self, event: OrderEvent) -> None:
        """Remember what it waits for, if it does; then the SUBMITTED event has a reason."""
        signal = self._read
        if event.purpose != "entry":
            return
        if isinstance(signal, OrderSignal) and signal.signal_id == event.signal_id:
            self.working[event.order_id] = Working(signal)
        elif event.reason.startswith(("limit ", "stop ")):
            raise JournalError(
                f"order {event.order_id}: it waits ({event.reason}), and its signal is not in the"
                " journal before it"
            )

    def _correct(self, event: OrderEvent) -> None:
        """Profit by the strategy's own average price, where the broker's says otherwise."""
        key = _key(event)
        if event.strategy == NETTING:
            feed = key[1:]
            self.residue[feed] = round(self.residue.get(feed, 0.0) + event.profit, 8)
        self._realised[key] = self._realised.get(key, 0.0) + event.profit

    def _counted(self, event: OrderEvent) -> bool:
        """Whether a fill was folded before: one closing may be of several strategies' positions."""
        if event.venue_deal not in self.deals:
            self._closing = event.venue_deal, [event.venue_position]
            return False
        deal, positions = self._closing
        if event.kind is not Kind.CLOSED or deal != event.venue_deal:
            return True
        positions.append(event.venue_position)
        return positions.count(event.venue_position) > 1

    def _fill(self, event: OrderEvent) -> None:
        if self._counted(event):
            raise JournalError(f"order {event.order_id}: fill {event.venue_deal} counted twice")
        self.deals.add(event.venue_deal)
        key = _key(event)
        money = event.profit + event.commission + event.swap
        self._realised[key] = self._realised.get(key, 0.0) + money
        signed = event.volume if event.side == "buy" else -event.volume
        if event.purpose == "entry" and event.kind is not Kind.CLOSED:
            self._open(key, event, signed)
        else:
            self._reduce(event, signed)

    def _open(self, key: Key, event: OrderEvent, signed: float) -> None:
        held, terms = self.positions.get(event.venue_position), self._terms_of(event)
        if held is None:
            closed = self.working[event.order_id].closed if event.order_id in self.working else 0
            self.positions[event.venue_position] = held = Position(
                ticket=event.venue_position, key=key, volume=signed, price=event.price,
                stop_price=event.stop_price, opened_us=event.ts_event_us, order_id=event.order_id,
                signal_id=event.signal_id, horizon_us=0, outgrown=closed,
            )  # fmt: skip
        else:
            total = held.volume + signed
            held.price = (held.price * held.volume + event.price * signed) / total
            held.volume, held.stop_price = round(total, 8), event.stop_price
        if terms:
            held.trail, held.take_profit = terms.trail, terms.take_profit or held.take_profit
        working = self.working.get(event.order_id)
        if working is not None and working.signal.one_of:
            first = FirstFilled(event.ts_event_us, event.order_id)
            self.first_filled[group_of(working.signal)] = first
        if working is not None and working.modifying is not None:
            # Filled before it was known under which terms: which stop it has, the venue says.
            held.moving, held.moved_us = working.modifying.stop_price, event.ts_init_us
        self._prolong(key, event.signal_id, terms)

    def _reduce(self, event: OrderEvent, signed: float) -> None:
        held = self.positions.get(event.venue_position)
        if held is None:
            raise JournalError(
                f"order {event.order_id}: fill of position {event.venue_position}, which is not"
                " open in the journal"
            )
        held.volume = round(held.volume + signed, 8)
        if held.volume == 0:
            del self.positions[event.venue_position]
            if held.order_id in self.working:
                self.working[held.order_id].closed = held.attempt + 1
        elif event.kind is Kind.FILLED and (event.purpose != "opposite" or is_virtual(held.ticket)):
            held.outgrown += 1

    def _refuse(self, event: OrderEvent) -> None:
        held = self.positions.get(event.venue_position)
        if held is not None:
            held.refused += 1
            held.retry_us = event.ts_init_us + _RETRY_US
            held.retry_purpose = event.purpose

    def _terms_of(self, event: OrderEvent) -> Terms | None:
        """What holds of the end of the position that an order opens."""
        working = self.working.get(event.order_id)
        if working is None:
            return self._terms.get(event.signal_id)
        signal = working.signal
        return Terms(signal.horizon_us, signal.take_profit, signal.trail)

    def _prolong(self, key: Key, signal_id: str, terms: Terms | None) -> None:
        if terms is None:
            raise JournalError(f"signal {signal_id} is not in the journal before its order")
        for position in self.of(key):
            position.horizon_us = terms.horizon_us


def subject(signal: Signal) -> Key:
    """What a newer signal replaces: the target of a strategy in a feed, or its order of a name."""
    whose = f"{signal.strategy}/{signal.name}" if isinstance(signal, OrderSignal) else ""
    return Key(whose or signal.strategy, signal.source, signal.symbol)


def group_of(signal: OrderSignal) -> Key:
    """Whose orders one fill takes back: a strategy's of one group in one feed."""
    return Key(f"{signal.strategy}/{signal.one_of}", signal.source, signal.symbol)


def _key(event: OrderEvent) -> Key:
    return Key(event.strategy, event.source, event.symbol)
