"""What is to be stored: queued, on the wire, and remembered by id.

librdkafka's idempotent producer keeps order and drops what its own retries repeat. Repeats of
ours, after a restart, it does not know: so the ids of the last hour are read from the topic before
the first message with an id goes out, and a repeat is answered with its first copy's sequence.
Another process may store the same id in the same moment; readers drop that (`subscriber`).

A message that nobody waits for any more leaves the queue when it was not handed to librdkafka
yet; else it may still be stored, as `adapters.bus.base` says.
"""

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, Message
from quixstreams.kafka import Producer

from adapters.bus.kafka import options
from adapters.bus.kafka.connection import KafkaConnection
from adapters.bus.kafka.ids import HEADER, RecentIds
from adapters.bus.kafka.reading import FORBIDDEN
from adapters.bus.kafka.skew import SkewWatch
from adapters.bus.kafka.topics import name_of
from core.errors import MessageError, TickhouseError, UnavailableError
from core.topics import Topic

QUEUE_BYTES = 256 * 2**20  # beyond this `send` waits for room
_NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)

#: Reads the ids that a topic holds into the window.
LoadIds = Callable[[Topic, RecentIds], None]


class Entry:
    """One message on its way. `stored` resolves to its sequence."""

    __slots__ = ("handed", "key", "message_id", "payload", "sent_ms", "settled", "stored", "topic")

    def __init__(self, topic: Topic, key: str, payload: bytes, message_id: str) -> None:
        self.topic, self.key, self.payload, self.message_id = topic, key, payload, message_id
        self.stored: Future[int] | None = None
        self.handed = self.settled = False
        self.sent_ms = 0.0


def partition_of(key: str, partitions: int) -> int:
    """Where a key's messages go: as librdkafka's own partitioner `consistent`."""
    return zlib.crc32(key.encode()) % partitions if partitions > 1 else 0


class KafkaPublisher:
    """All topics' queue. `put`, `flush`, `withdraw` from any thread, `work` from the bus's own."""

    def __init__(self, connection: KafkaConnection, load_ids: LoadIds) -> None:
        self._connection, self._load_ids = connection, load_ids
        settings = connection.settings
        self._window_s = settings.duplicate_window_s
        self._room = threading.Condition(threading.RLock())  # guards all below
        self._queue: deque[Entry] = deque()  # not handed to librdkafka yet
        self._ids: dict[str, RecentIds] = {}
        self._pending: dict[tuple[str, str], Entry] = {}
        self._bytes = self._put = self._done = 0
        self._failure: TickhouseError | None = None
        self._skew = SkewWatch(settings.max_skew_s)
        self._producer = Producer(
            connection.config,
            error_callback=self._on_error,
            extra_config=options.producer_options(settings),
        )

    # -- any thread ------------------------------------------------------------------------

    def put(
        self,
        topic: Topic,
        key: str,
        payload: bytes,
        message_id: str,
        timeout_s: float,
        *,
        wanted: bool,
    ) -> Entry:
        """Queue one message; wait only while too much is queued already.

        Raises:
            UnavailableError: there was no room for `timeout_s`; the message is not queued.
            MessageError: the bus refused an earlier message that nobody waited for.
        """
        with self._room:
            self._raise_failure()
            entry = self._pending.get((topic.name, message_id)) if message_id else None
            if entry is None:
                self._wait_for_room(topic, len(payload), timeout_s)
                entry = Entry(topic, key, payload, message_id)
                self._take(entry)
            elif entry.settled:  # given up on, and now wanted again
                entry.settled = False
                self._put, self._bytes = self._put + 1, self._bytes + len(entry.payload)
            if wanted and entry.stored is None:
                entry.stored = Future()
            if not entry.handed:
                self._drain()
            return entry

    def flush(self, timeout_s: float) -> dict[str, int]:
        """Wait until all that was put before is stored; how many are still not, by topic."""
        with self._room:
            target = self._put
            self._room.wait_for(lambda: self._done >= target or bool(self._failure), timeout_s)
            self._raise_failure()
            missing: dict[str, int] = {}
            if self._done < target:
                for topic, _ in self._pending:
                    missing[topic] = missing.get(topic, 0) + 1
            return missing

    def withdraw(self, entry: Entry) -> None:
        """Nobody waits for it any more. It may be stored already, or still be."""
        with self._room:
            if entry in self._queue:
                self._queue.remove(entry)
                self._pending.pop((entry.topic.name, entry.message_id), None)
            self._settle(entry)

    # -- the bus's thread ------------------------------------------------------------------

    def work(self, wait_s: float) -> None:
        """Send what waits, and serve answers for as long as told."""
        if self._queue:
            self._learn_ids()
            with self._room:
                self._drain()
        self._producer.poll(wait_s)

    def close(self) -> None:
        """What is not stored is lost now."""
        self._producer.purge()
        self._producer.flush(timeout=1.0)

    # -- inside ----------------------------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        self._put += 1
        self._bytes += len(entry.payload)
        entry.message_id = entry.message_id or f"\0{self._put}"  # not sent: nobody repeats it
        self._pending[entry.topic.name, entry.message_id] = entry
        self._queue.append(entry)

    def _wait_for_room(self, topic: Topic, size: int, timeout_s: float) -> None:
        if self._bytes and not self._room.wait_for(
            lambda: self._bytes + size <= QUEUE_BYTES or not self._bytes, timeout_s
        ):
            raise UnavailableError(
                f"{self._bytes >> 20} MiB wait for the bus on topic {topic.name}"
            )

    def _learn_ids(self) -> None:
        """Of the topic whose message waits first; the order of what waits is kept."""
        with self._room:
            topic = self._queue[0].topic if self._queue else None
        if topic is not None and topic.name not in self._ids:
            ids = RecentIds(self._window_s)
            try:
                self._load_ids(topic, ids)
            except KafkaException as error:
                with self._room:
                    self._refuse_all(topic, error.args[0])
                return
            with self._room:
                self._ids[topic.name] = ids

    def _refuse_all(self, topic: Topic, error: KafkaError) -> None:
        """Of a topic that we may not use, what waits; under the lock."""
        for entry in [entry for entry in self._queue if entry.topic is topic]:
            self._queue.remove(entry)
            self._refused(entry, error)

    def _drain(self) -> None:
        """Hand over in order, as far as can be; under the lock."""
        while self._queue and self._connection.partitions:
            entry = self._queue[0]
            ids = self._ids.get(entry.topic.name)
            if ids is None:
                return
            known = ids.sequence(entry.message_id)
            if known is not None:
                self._queue.popleft()
                self._stored(entry, known)
                continue
            try:
                self._hand_over(entry)
            except BufferError:
                return  # `work` tries again
            self._queue.popleft()

    def _hand_over(self, entry: Entry) -> None:
        own_id = not entry.message_id.startswith("\0")
        entry.sent_ms, entry.handed = time.time() * 1000, True
        self._producer.produce(
            name_of(entry.topic, self._connection.settings),
            entry.payload,
            entry.key.encode(),
            headers=[(HEADER, entry.message_id.encode())] if own_id else None,
            partition=partition_of(entry.key, self._connection.partitions[entry.topic.name]),
            buffer_error_max_tries=0,
            on_delivery=lambda error, message: self._on_delivery(entry, error, message),
        )

    def _on_delivery(self, entry: Entry, error: KafkaError | None, message: Message) -> None:
        with self._room:
            if error is not None:
                self._refused(entry, error)
                return
            self._connection.answered()
            sequence, at_ms = message.offset() + 1, message.timestamp()[1]
            self._skew.observe(entry.sent_ms, time.time() * 1000, at_ms)
            if not entry.message_id.startswith("\0"):
                self._ids[entry.topic.name].add(entry.message_id, sequence, at_ms)
            self._stored(entry, sequence)

    def _stored(self, entry: Entry, sequence: int) -> None:
        self._pending.pop((entry.topic.name, entry.message_id), None)
        if entry.stored is not None and not entry.stored.done():
            entry.stored.set_result(sequence)
        self._settle(entry)

    def _refused(self, entry: Entry, error: KafkaError) -> None:
        self._pending.pop((entry.topic.name, entry.message_id), None)
        forbidden = error.code() in FORBIDDEN
        refusal = MessageError(
            f"the bus refused message {entry.message_id} on {entry.topic.name}: {error.str()}"
            + ("; was the topic removed?" if error.code() in _NO_TOPIC else "")
            + ("; which ACLs it needs: docs/how-to/secure-the-bus.md" if forbidden else "")
        )
        if entry.stored is not None and not entry.stored.done():
            entry.stored.set_exception(refusal)
        elif not self._connection.closing.is_set():
            self._failure = refusal
        self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        if not entry.settled:
            entry.settled = True
            self._done += 1
            self._bytes -= len(entry.payload)
            self._room.notify_all()

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            with self._room:
                self._failure = UnavailableError(
                    f"Kafka lost track of what was stored ({error.str()}): start the process again"
                )
                self._room.notify_all()
        self._connection.on_error(error)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure = self._failure
            if isinstance(failure, MessageError):
                self._failure = None
            raise failure
