"""What execution tells the others, in journal order: nothing leaves before it is on disk.

Message ids follow from content, so that publishing a journal again after a crash stores nothing
twice. A fill is followed by the position it made.
"""

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.order import (
    AccountState,
    EventKind,
    ExecutionMarker,
    OrderEvent,
    OrderMessage,
    PositionState,
)
from core.crashpoint import reach
from core.settings import RunSettings
from core.topics import ORDER_EVENTS
from execution.book import Book, Key
from execution.journal import Journal
from execution.records import Record

_FILLS = (EventKind.PARTIALLY_FILLED, EventKind.FILLED, EventKind.CLOSED)
_CHUNK = 2_000  # messages between two flushes when much is published


class Outbox:
    """Messages that wait for `publish`."""

    def __init__(self, bus: Publisher, journal: Journal, run: RunSettings) -> None:
        self._bus, self._journal, self._run = bus, journal, run
        self._waiting: list[tuple[OrderMessage, str]] = []

    def add(self, record: Record, book: Book) -> None:
        """Queue a journalled record; `book` is the state with it applied."""
        if isinstance(record, OrderEvent):
            self._waiting.append(
                (record, f"{self._run.run_id}.{self._run.account}.{record.event_id}")
            )
            if record.kind in _FILLS:
                state = position_state(record, book)
                self._waiting.append(
                    (state, f"{self._run.run_id}.{self._run.account}.{record.event_id}.position")
                )
        elif isinstance(record, AccountState):
            self._waiting.append((record, f"{record.run_id}.account.{record.ts_event_us}"))
        elif isinstance(record, ExecutionMarker):
            name = "end" if record.end else record.slice
            self._waiting.append((record, f"{record.run_id}.slice.{name}"))

    def publish(self) -> None:
        """Store all that waits on the bus, in order.

        Raises:
            UnavailableError: the bus stayed away; all of it is still in the journal.
        """
        if not self._waiting:
            return
        self._journal.sync()
        reach("execution.publish.before")
        for index, (message, name) in enumerate(self._waiting, 1):
            self._bus.send(ORDER_EVENTS, self._run.account, codec.encode(message), name)
            if index % _CHUNK == 0:
                self._bus.flush()
        self._bus.flush()
        self._waiting.clear()
        reach("execution.publish.after")


def position_state(event: OrderEvent, book: Book) -> PositionState:
    """A symbol's net position after a fill."""
    key = Key(event.strategy, event.source, event.symbol)
    held = book.of(key)
    volume = book.net(key)
    price = sum(p.price * p.volume for p in held) / volume if volume else 0.0
    return PositionState(
        event.run_id, event.mode, event.account, event.strategy, event.source, event.symbol,
        event.ts_event_us, event.ts_init_us, event.seq, volume, price,
        held[-1].stop_price if held else 0.0, book.realised(key),
    )  # fmt: skip
