"""What execution tells the others, in journal order: nothing leaves before it is on disk.

Message ids follow from content, so that publishing a journal again after a crash stores nothing
twice. A fill, or a stop that moved, is followed by the position it made.
"""

from collections.abc import Iterator

from adapters.bus.base import Publisher
from core.contracts import codec, firm
from core.contracts.firm import FirmRecord
from core.contracts.order import (
    AccountState,
    EventKind,
    ExecutionMarker,
    OrderEvent,
    OrderMessage,
    PositionState,
)
from core.crashpoint import reach
from core.sections import RunSettings
from core.topics import ORDER_EVENTS
from execution.journal import snapshot
from execution.journal.book import Book
from execution.journal.delivered import NO_EVENT, Mark
from execution.journal.journal import Journal
from execution.journal.position import Key
from execution.journal.publisher import JournalPublisher, Post
from execution.journal.records import Record
from execution.journal.segments import NOTHING
from execution.journal.snapshot import Snapshot

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
        self._bus, self._journal, self._run, self._publisher = bus, journal, run, publisher
        self._waiting: list[Post] = []

    def add(self, record: Record, book: Book) -> None:
        """Queue a journalled record; `book` is the state with it applied."""
        self._waiting += posts(record, book, self._run)

    def publish(self) -> None:
        """Store all that waits on the bus, in order; with a publisher, hand it over to that.

        Raises:
            UnavailableError: without a publisher, the bus stayed away; the journal has all of it.
        """
        if not self._waiting:
            return
        self._journal.sync()
        reach("execution.publish.before")
        if self._publisher is not None:
            self._publisher.take(self._waiting)
            self._waiting = []
            return
        for index, (message, name) in enumerate(self._waiting, 1):
            self._bus.send(ORDER_EVENTS, self._run.account, codec.encode(message), name)
            if index % _CHUNK == 0:
                self._bus.flush()
        self._bus.flush()
        self._waiting.clear()
        reach("execution.publish.after")

    def resume(self, mark: Mark, since: Snapshot | None) -> None:
        """Forget what bus and warehouse have; let all be read again if they lack more than waits.

        Args:
            mark: the last event that both have.
            since: where the journal's records that wait begin.
        """
        begin = since.end if since else NOTHING
        met = mark.hash == begin.hash if mark.seq == begin.seq else False
        for message, _ in self._waiting:
            if isinstance(message, OrderEvent) and message.seq == mark.seq:
                met = message.hash == mark.hash
        if met:
            self._waiting = [post for post in self._waiting if not _has(mark, post.message)]
        elif since is not None and self._publisher is not None:
            self._waiting = []
            self._publisher.fall_behind()

    def close(self) -> None:
        """Give the publisher a moment to deliver what it has; the journal has it in any case."""
        if self._publisher is not None:
            self._publisher.close()


def posts(record: Record, book: Book, run: RunSettings) -> Iterator[Post]:
    """What is published of a record; `book` is the state with it applied."""
    if isinstance(record, OrderEvent):
        name = f"{run.run_id}.{run.account}.{record.event_id}"
        yield Post(record, name)
        if record.kind in _MOVES:
            yield Post(position_state(record, book), f"{name}.position")
    elif isinstance(record, AccountState):
        yield Post(record, f"{record.run_id}.account.{record.ts_event_us}")
    elif isinstance(record, FirmRecord):
        for message in firm.messages(record):
            yield Post(message, f"{record.run_id}.firm.{record.state.ts_us}.{message.rule}")
    elif isinstance(record, ExecutionMarker):
        yield Post(record, f"{record.run_id}.slice.{'end' if record.end else record.slice}")


def posts_of(
    journal: Journal, run: RunSettings, mark: Mark = NO_EVENT, since: Snapshot | None = None
) -> Iterator[Post]:  # fmt: skip
    """What is published of a journal after an event, folded anew; all when it has no such event.

    `since`: a state to fold on from when nothing before it is asked for.
    """
    begin = NOTHING
    book = Book()
    if since is not None and since.end.seq <= mark.seq:
        begin, (book, _) = since.end, snapshot.restored(since)
    met = begin.seq == mark.seq and begin.hash == mark.hash
    for record in journal.records(begin):
        book.apply(record)
        if isinstance(record, OrderEvent) and record.seq == mark.seq:
            met = record.hash == mark.hash
        yield from (post for post in posts(record, book, run) if not _has(mark, post.message))
    if not met:  # of another journal
        yield from posts_of(journal, run)


def _has(mark: Mark, message: OrderMessage) -> bool:
    """Whether what has the event of a mark has a message, too; of its position one cannot say."""
    seq = getattr(message, "seq", None)
    if seq is None:
        return False
    return bool(seq <= mark.seq if isinstance(message, OrderEvent) else seq < mark.seq)


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
