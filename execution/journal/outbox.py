"""What execution tells the others, in journal order: nothing leaves before it is on disk.

Message ids follow from content, so that publishing a journal again after a crash stores nothing
twice. A fill, or a stop that moved, is followed by the position it made.
"""

from collections.abc import Iterator

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.order import (
    AccountState,
    EventKind,
    ExecutionMarker,
    OrderEvent,
    PositionState,
)
from core.crashpoint import reach
from core.sections import RunSettings
from core.topics import ORDER_EVENTS
from execution.journal.book import Book, Key
from execution.journal.journal import Journal
from execution.journal.publisher import JournalPublisher, Post
from execution.journal.records import Record

_MOVES = (  # what changes a position
    EventKind.PARTIALLY_FILLED, EventKind.FILLED, EventKind.CLOSED, EventKind.STOP_MOVED,
)  # fmt: skip
_CHUNK = 2_000  # messages between two flushes when much is published


class Outbox:
    """Messages that wait for `publish`."""

    def __init__(
        self,
        bus: Publisher,
        journal: Journal,
        run: RunSettings,
        publisher: JournalPublisher | None = None,
    ) -> None:
        self._bus, self._journal, self._run, self._courier = bus, journal, run, publisher
        self._waiting: list[Post] = []

    def add(self, record: Record, book: Book) -> None:
        """Queue a journalled record; `book` is the state with it applied."""
        self._waiting += posts(record, book, self._run)

    def publish(self) -> None:
        """Store all that waits on the bus, in order; with a courier, hand it over to that.

        Raises:
            UnavailableError: without a courier, the bus stayed away; the journal has all of it.
        """
        if not self._waiting:
            return
        self._journal.sync()
        reach("execution.publish.before")
        if self._courier is not None:
            self._courier.take(self._waiting)
            self._waiting = []
            return
        for index, (message, name) in enumerate(self._waiting, 1):
            self._bus.send(ORDER_EVENTS, self._run.account, codec.encode(message), name)
            if index % _CHUNK == 0:
                self._bus.flush()
        self._bus.flush()
        self._waiting.clear()
        reach("execution.publish.after")

    def close(self) -> None:
        """Give the courier a moment to deliver what it has; the journal has it in any case."""
        if self._courier is not None:
            self._courier.close()


def posts(record: Record, book: Book, run: RunSettings) -> Iterator[Post]:
    """What others are told of a record; `book` is the state with it applied."""
    if isinstance(record, OrderEvent):
        name = f"{run.run_id}.{run.account}.{record.event_id}"
        yield Post(record, name)
        if record.kind in _MOVES:
            yield Post(position_state(record, book), f"{name}.position")
    elif isinstance(record, AccountState):
        yield Post(record, f"{record.run_id}.account.{record.ts_event_us}")
    elif isinstance(record, ExecutionMarker):
        yield Post(record, f"{record.run_id}.slice.{'end' if record.end else record.slice}")


def posts_of(journal: Journal, run: RunSettings) -> Iterator[Post]:
    """What others are told of a whole journal, folded anew."""
    book = Book()
    for record in journal.records():
        book.apply(record)
        yield from posts(record, book, run)


def position_state(event: OrderEvent, book: Book) -> PositionState:
    """A symbol's net position after a fill."""
    key = Key(event.strategy, event.source, event.symbol)
    held = book.of(key)
    volume = book.net(key)
    price = sum(p.price * p.volume for p in held) / volume if volume else 0.0
    return PositionState(
        run_id=event.run_id, mode=event.mode, account=event.account, strategy=event.strategy,
        source=event.source, symbol=event.symbol, ts_event_us=event.ts_event_us,
        ts_init_us=event.ts_init_us, seq=event.seq, volume=volume, price=price,
        stop_price=held[-1].stop_price if held else 0.0, profit_realised=book.realised(key),
    )  # fmt: skip
