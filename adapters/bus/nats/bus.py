"""The bus over NATS JetStream: a synchronous face on an event loop in a thread of its own.

The parts: `connection` keeps a connection and tells the others of each new one,
`streams` makes a stream per topic, `publisher` holds what is not yet stored,
`subscriber` reads. This module only joins them.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import TimeoutError as NotInTime
from typing import TypeVar

from nats.aio.client import Client

from adapters.bus.base import Message
from adapters.bus.bus_key import checked
from adapters.bus.nats.connection import FAILURES, Connection
from adapters.bus.nats.publisher import HEADER_BYTES, Entry, Outbox
from adapters.bus.nats.server import DEFAULT_PORT, MAX_PAYLOAD
from adapters.bus.nats.streams import last_message, last_sequence
from adapters.bus.nats.subscriber import NatsSubscriber
from core import topics
from core.errors import MessageError, UnavailableError
from core.exposition import Sample, expose
from core.sections import BusSettings
from core.topics import Topic

_REQUEST_S = 60.0  # how long `last` and `subscribe` wait for a bus that is away
_PAUSE_S = 0.05
_LARGEST = MAX_PAYLOAD - HEADER_BYTES

T = TypeVar("T")


class NatsBus:
    """A Bus (see `adapters.bus.base`) over one NATS connection.

    Connects in the background: constructing it never waits and never fails. Any thread may
    use it. Do not subscribe the same object from two threads.
    """

    def __init__(self, settings: BusSettings, name: str) -> None:
        """Connect to `settings.url`, empty: the embedded server's default port."""
        url = settings.url or f"nats://127.0.0.1:{DEFAULT_PORT}"
        self._connection = Connection(url, settings, name, role=name)
        self._url = self._connection.url
        self._outboxes = {t.name: Outbox(t, self._connection.post) for t in topics.ALL}
        for outbox in self._outboxes.values():
            self._connection.start(self._connection.attach(outbox))
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """What the bus has stored of ours, and what waits for it."""
        for name, outbox in self._outboxes.items():
            put, done = outbox.counts()
            if put:
                yield Sample("tickhouse_bus_sent_messages_total", (name,), done)
                yield Sample("tickhouse_bus_unsent_messages", (name,), put - done)

    @property
    def reconnects(self) -> int:
        """How often the connection was established anew, after the first time."""
        return max(self._connection.established - 1, 0)

    def healthy(self) -> bool:
        """Whether the connection is up at this moment."""
        return self._connection.up

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        """Store one message; return its sequence in the topic (of the first copy if repeated).

        Raises:
            UnavailableError: no acknowledgement within `timeout_s`; stored or not.
            MessageError: too large, or a key the bus cannot carry.
        """
        deadline = time.monotonic() + timeout_s
        entry = self._put(topic, key, payload, message_id, True, timeout_s)
        assert entry.stored is not None
        try:
            return entry.stored.result(max(deadline - time.monotonic(), 0.0))
        except NotInTime:
            self._outboxes[topic.name].withdraw(entry)
            raise self._away(f"was to store a message of {topic.name}", timeout_s) from None

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Queue one message without waiting; `flush` waits. Order within a topic is kept.

        Waits for room, as `publish` does, only while 256 MiB of the topic are queued.

        Raises:
            UnavailableError: no room for a minute; this message is not queued.
            MessageError: too large, or the bus refused an earlier one.
        """
        self._put(topic, key, payload, message_id, False, _REQUEST_S)

    def flush(self, timeout_s: float = 60.0) -> None:
        """Return when all that was sent is stored.

        Raises:
            UnavailableError: the bus stayed away; everything unacknowledged is still queued.
            MessageError: the bus refused a message; the others are stored or still queued.
        """
        deadline = time.monotonic() + timeout_s
        for name, outbox in self._outboxes.items():
            missing = outbox.flush(max(deadline - time.monotonic(), 0.0))
            if missing:
                raise self._away(f"was to store {missing} messages of {name}", timeout_s)

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        """The newest stored message of a topic, or of one key of it; None when there is none.

        Raises:
            UnavailableError: the bus stayed away for a minute.
        """
        subject = f"{topic.name}.{'>' if key is None else checked(key)}"
        return self._ask("read", lambda client: last_message(client, topic, subject))

    def partitions(self, topic: Topic) -> int:
        """One: a stream has one order."""
        return 1

    def end(self, topic: Topic, partition: int = 0) -> int:
        """The sequence that the next message will have.

        Raises:
            UnavailableError: the bus stayed away for a minute.
        """
        return self._ask("tell the end of", lambda client: last_sequence(client, topic)) + 1

    def subscribe(
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> NatsSubscriber:
        """Read a topic from `start_sequence` on (1: all that is kept; 0: only what comes now).

        Raises:
            UnavailableError: with 0, when the bus stayed away for a minute.
        """
        if start_sequence == 0:
            start_sequence = self.end(topic)
        return NatsSubscriber(self._connection, topic, start_sequence)

    def close(self, timeout_s: float = 10.0) -> None:
        """Flush for at most `timeout_s` and disconnect.

        Raises:
            UnavailableError: something is not stored, and now lost.
        """
        try:
            if self._connection.running:
                self.flush(timeout_s)
        finally:
            self._connection.close()

    def _put(
        self,
        topic: Topic,
        key: str,
        payload: bytes,
        message_id: str,
        wanted: bool,
        timeout_s: float,
    ) -> Entry:
        if not self._connection.running:
            raise UnavailableError(f"this connection to the bus at {self._url} is closed")
        if len(payload) > _LARGEST:
            raise MessageError(
                f"a message of {len(payload)} bytes for topic {topic.name}, key {key}: "
                f"the bus takes at most {_LARGEST}; publish smaller batches"
            )
        outbox = self._outboxes[topic.name]
        return outbox.put(checked(key), payload, message_id, wanted, timeout_s)

    def _ask(self, verb: str, request: Callable[[Client], Awaitable[T]]) -> T:
        deadline = time.monotonic() + _REQUEST_S
        while self._connection.running and time.monotonic() < deadline:
            try:
                return self._connection.start(self._request(request)).result()
            except FAILURES:
                time.sleep(_PAUSE_S)
        raise self._away(f"was asked to {verb} a topic", _REQUEST_S)

    async def _request(self, request: Callable[[Client], Awaitable[T]]) -> T:
        client = self._connection.client
        if client is None:
            raise ConnectionError("not connected")
        return await request(client)

    def _away(self, what: str, waited_s: float) -> UnavailableError:
        problem = self._connection.problem or "connected, but slow"
        return UnavailableError(
            f"the bus at {self._url} {what} but did not within {waited_s:g} s ({problem}). "
            "Is it running? See `tickhouse status`; bus.url says where it is sought"
        )
