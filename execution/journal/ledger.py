"""Where events become facts: numbered within their order, journalled, folded, queued to go out.

The three happen together and in this order, so that journal, book and bus never disagree.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from core.contracts.order import OrderEvent
from core.exposition import Sample, expose
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.outbox import Outbox
from execution.journal.records import Record
from execution.risk.activity import Activity

_log = logging.getLogger(__name__)


class Ledger:
    """Journal, book and outbox as one. Opening folds the journal and queues what it read.

    `activity`: a fold of its own kind; None for the usual one.
    """

    def __init__(
        self, journal: Journal, book: Book, outbox: Outbox, activity: Activity | None = None
    ) -> None:
        self._journal, self.book, self._outbox = journal, book, outbox
        self.activity = activity or Activity()
        self._unfolded: list[Record] = []
        self.watchers: list[Callable[[OrderEvent], None]] = []  # of what is recorded from now on
        expose(self)
        for record in journal.take():
            self._keep(record)
        if book.from_future:
            _log.warning(
                "%s: %d signals were dated after the time they were received; they supersede"
                " nothing that came after them", journal.path, book.from_future,
            )  # fmt: skip

    def measured(self) -> Iterator[Sample]:
        """How far the account is below its best."""
        yield Sample("tickhouse_drawdown_ratio", (), self.activity.drawdown_share())

    def record(self, entries: Iterable[Record]) -> list[Record]:
        """Make entries facts; order events come back complete. Durable after `sync`."""
        linked = self.write(entries)
        self.fold()
        return linked

    def write(self, entries: Iterable[Record]) -> list[Record]:
        """Journal entries as `record` does, but leave the rest to `fold`.

        An order that waits for nothing but the disk need not wait for our own books.
        """
        self.fold()
        counts: dict[str, int] = {}
        named = [self._named(e, counts) if isinstance(e, OrderEvent) else e for e in entries]
        self._unfolded = self._journal.append(named)
        return self._unfolded

    def fold(self) -> None:
        """Take into book and outbox what was written since the last fold."""
        unfolded, self._unfolded = self._unfolded, []
        for record in unfolded:
            self._keep(record)
            if isinstance(record, OrderEvent):
                for observe in self.watchers:
                    observe(record)

    def sync(self) -> None:
        """On disk when this returns."""
        self._journal.sync()

    def _named(self, event: OrderEvent, counts: dict[str, int]) -> OrderEvent:
        count = counts.get(event.order_id, self.book.count(event.order_id)) + 1
        counts[event.order_id] = count
        return replace(event, event_id=f"{event.order_id}.{count}")

    def _keep(self, record: Record) -> None:
        self.book.apply(record)
        self.activity.fold(record)
        self._outbox.add(record, self.book)
