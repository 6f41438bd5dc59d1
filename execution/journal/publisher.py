"""Takes what is journalled to the bus, in a thread of its own: trading never waits for the bus.

The queue is bounded; the journal is the truth. While the bus is away, messages wait here, and when
they become too many all of them are forgotten: once the bus answers again, what it lacks is read
from the journal and published, which stores nothing twice, for the ids of messages follow from
content.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from adapters.bus.base import Bus
from core.contracts import codec
from core.contracts.order import AccountState, EventKind, OrderEvent, OrderMessage
from core.crashpoint import reach
from core.errors import TickhouseError, UnavailableError
from core.exposition import Sample, expose
from core.sections import RunSettings
from core.topics import ORDER_EVENTS
from execution.journal.delivered import Delivered

_log = logging.getLogger(__name__)
QUEUE = 100_000  # messages
_CHUNK = 2_000  # between two flushes
_FLUSH_S = 5.0
_LAST_S = 5.0
_RETRY_S = 0.1


class Post(NamedTuple):
    """One message and its id."""

    message: OrderMessage
    name: str


class JournalPublisher:
    """Delivers in order. `take` and `close` by the trading thread, the rest by its own.

    Args:
        again: all messages of the journal that the bus may lack.
        limit: messages that may wait.
        delivered: where it is noted what the bus has.
    """

    def __init__(
        self, bus: Bus, run: RunSettings, again: Callable[[], Iterator[Post]],
        limit: int = QUEUE, delivered: Delivered | None = None,
    ) -> None:  # fmt: skip
        self._noted = delivered
        self._bus, self._run, self._again, self._limit = bus, run, again, limit
        self._queue: deque[Post] = deque()
        self._changed = threading.Condition()
        self._behind = self._stopping = False
        self._pause = threading.Event()  # ends the wait between two attempts
        self._failure: TickhouseError | None = None
        self._thread: threading.Thread | None = None
        self._counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._counted = 0  # seq of the journal up to which they go
        self._account: AccountState | None = None
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """Orders by outcome, denials by rule, the account: of what is on the bus."""
        yield Sample("tickhouse_journal_unsent_messages", (), len(self._queue))
        yield from (Sample(*key, count) for key, count in tuple(self._counts.items()))
        if account := self._account:
            labels = account.account, account.currency
            yield Sample("tickhouse_equity", labels, account.equity)
            yield Sample("tickhouse_balance", labels, account.balance)

    def take(self, posts: Iterable[Post]) -> None:
        """Queue messages whose records are on disk. Never waits for anything but a short lock.

        Raises:
            TickhouseError: what ended the thread: the bus refuses a message, the journal cannot
                be read.
        """
        if self._failure is not None:
            raise self._failure
        with self._changed:
            self._queue.extend(posts)
            if len(self._queue) > self._limit:
                _log.warning("the bus is away: what waits will be read from the journal again")
                self._queue.clear()
                self._behind = True
            self._changed.notify()

    def fall_behind(self) -> None:
        """The bus lacks more than waits here: read it from the journal. Before `start`."""
        with self._changed:
            self._queue.clear()
            self._behind = True
            self._changed.notify()

    def start(self) -> None:
        """Deliver in a thread until `close`."""
        self._thread = threading.Thread(target=self._work, name="journal publisher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Deliver what waits, if the bus takes it within seconds, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._pause.set()
        if self._thread is not None:
            self._thread.join(_LAST_S + _FLUSH_S)

    def deliver(self) -> bool:
        """Bring everything that waits to the bus; False when it is away and something is left."""
        if not self._bus.healthy():
            return not self._has_posts()
        try:
            if self._behind:
                self._behind = False
                self._send_again()
            while chunk := list(islice(self._queue, _CHUNK)):
                self._send(chunk)
                if not self._delivered(len(chunk)):
                    return False
        except UnavailableError as error:
            _log.warning("order events wait for the bus: %s", error)
            return False
        if self._noted:
            self._noted.caught_up()
        return True

    def _delivered(self, count: int) -> bool:
        """Forget what is on the bus; False when all was forgotten meanwhile."""
        with self._changed:
            for _ in range(0 if self._behind else count):
                self._queue.popleft()
            return not self._behind

    def _send_again(self) -> None:
        try:
            posts = self._again()
            while chunk := list(islice(posts, _CHUNK)):
                self._send(chunk)
        except UnavailableError:
            self._behind = True
            raise

    def _send(self, chunk: list[Post]) -> None:
        for message, name in chunk:
            self._bus.send(ORDER_EVENTS, self._run.account, codec.encode(message), name)
        self._bus.flush(_FLUSH_S)
        for message, _ in chunk:
            self._count(message)
        newest = next((m for m, _ in reversed(chunk) if isinstance(m, OrderEvent)), None)
        if self._noted and newest:
            self._noted.reached(newest)
        reach("execution.publish.after")

    def _count(self, message: OrderMessage) -> None:
        """Each once, also when it is sent again. In this thread, not in the one that trades."""
        if isinstance(message, AccountState):
            self._account = message
        elif isinstance(message, OrderEvent) and message.seq > self._counted:
            self._counted, kind = message.seq, message.kind.value
            self._counts["tickhouse_order_events_total", (kind, message.purpose)] += 1
            if message.kind is EventKind.DENIED:
                self._counts["tickhouse_denials_total", (message.reason,)] += 1

    def _work(self) -> None:
        try:
            self._deliver_until_closed()
        except TickhouseError as error:  # the trading thread ends the process with it
            self._failure = error

    def _deliver_until_closed(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, 1.0)
                if self._stopping and not self._has_posts():
                    return
            if not self.deliver():
                if self._stopping:
                    return
                self._pause.wait(_RETRY_S)

    def _has_work(self) -> bool:
        return self._has_posts() or self._stopping

    def _has_posts(self) -> bool:
        return bool(self._queue) or self._behind
