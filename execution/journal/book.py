"""The fold of the journal's records: how each event changes orders, positions and profit.

Nothing of it is stored by itself; a restart folds the journal again. What is known, and what may
be asked of it, stands in `execution/journal/book_state.py`.
"""

from collections import deque

from msgspec.structs import replace

from adapters.mt5.fence import FENCED
from core.contracts.order import EventKind as Kind
from core.contracts.order import ExecutionMarker, OrderEvent
from core.contracts.signal import OrderSignal, Signal
from core.desk import NETTING
from core.errors import JournalError
from execution.journal import lifecycle
from execution.journal.book_state import BookState, Order
from execution.journal.position import Key, Position, Terms
from execution.journal.records import LeaseTaken, Record
from execution.journal.virtual import RESIDUE, is_virtual
from execution.journal.working import FirstFilled, Working, group_of, subject

UNSENT = "before it was sent"  # ends the reason of an order that was journalled and not sent
HELD = "held"  # reason of a RECEIVED event whose target is held already
_MODIFICATIONS = (Kind.MODIFYING, Kind.MODIFIED, Kind.UNMODIFIED)
_RETRY_US = 1_000_000  # after a refused exit
_AHEAD_US = 300_000_000  # a signal dated later than it was received by more decides nothing later


class Book(BookState):
    """The state after all records applied so far."""

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


def _key(event: OrderEvent) -> Key:
    return Key(event.strategy, event.source, event.symbol)
