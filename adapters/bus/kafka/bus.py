"""The bus over Apache Kafka, carried by Quix Streams' clients.

The parts: `connection` shares what the brokers' state is and makes the topics,
`publisher` holds what is not yet stored, `subscriber` reads, `tail` answers
what was stored last. This module only joins them.
"""

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotInTime
from typing import TypeVar

from confluent_kafka import KafkaException

from adapters.bus.base import Message
from adapters.bus.bus_key import checked
from adapters.bus.kafka.connection import KafkaConnection
from adapters.bus.kafka.ids import MOST, RecentIds, id_of
from adapters.bus.kafka.options import LARGEST
from adapters.bus.kafka.publisher import KafkaPublisher, partition_of
from adapters.bus.kafka.reading import FORBIDDEN, StretchReader
from adapters.bus.kafka.subscriber import KafkaSubscriber
from adapters.bus.kafka.tail import Tail
from adapters.bus.kafka.topics import name_of
from core.errors import MessageError, UnavailableError
from core.sections import BusSettings
from core.topics import Topic

_REQUEST_S = 60.0  # how long `last` and `subscribe` wait for a bus that is away
_PAUSE_S = 0.05
_LOOK_S = 0.5  # so late may a publish that waits hear that Kafka refuses us

T = TypeVar("T")


class KafkaBus:
    """A Bus (see `adapters.bus.base`) over one cluster.

    Connects in the background: constructing it never waits. Any thread may use it. Do not
    subscribe the same object from two threads.

    Raises:
        SettingsError: settings that cannot be; a cluster that refuses us is told of by the first
            call that needs it.
    """

    def __init__(self, settings: BusSettings, name: str) -> None:
        self._url = settings.url
        self._connection = KafkaConnection(settings, name)
        self._reader = StretchReader(self._connection)
        self._publisher = KafkaPublisher(self._connection, self._load_ids)
        self._tails: dict[tuple[str, int], Tail] = {}
        self._subscribers: weakref.WeakSet[KafkaSubscriber] = weakref.WeakSet()
        self._closed = threading.Event()
        self._connection.start(self._publisher.work)

    @property
    def reconnects(self) -> int:
        """How often the connection was established anew, after the first time."""
        return max(self._connection.established - 1, 0)

    def healthy(self) -> bool:
        """Whether the brokers answer at this moment."""
        return self._connection.up

    def partitions(self, topic: Topic) -> int:
        """How many the topic has.

        Raises:
            UnavailableError: the brokers stayed away for a minute.
            SettingsError: they refuse us, or have fewer partitions than planned.
        """
        self._wait_ready("tell the partitions of", _REQUEST_S)
        return self._connection.partitions[topic.name]

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        """Store one message; return its sequence (of the first copy if repeated).

        Raises:
            UnavailableError: no acknowledgement within `timeout_s`; stored or not.
            MessageError: too large, or a key the bus cannot carry.
            SettingsError: Kafka refuses us, or its topics are not as planned.
        """
        deadline = time.monotonic() + timeout_s
        self._check(topic, key, payload)
        entry = self._publisher.put(topic, key, payload, message_id, timeout_s, wanted=True)
        assert entry.stored is not None
        while True:
            left_s = deadline - time.monotonic()
            try:
                return entry.stored.result(max(min(left_s, _LOOK_S), 0.0))
            except NotInTime:
                if left_s > _LOOK_S and self._connection.refusal is None:
                    continue
                self._publisher.withdraw(entry)
                self._raise_refusal()
                raise self._away(f"was to store a message of {topic.name}", timeout_s) from None

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Queue one message without waiting; `flush` waits. Order within a partition is kept.

        Waits for room, as `publish` does, only while 256 MiB are queued.

        Raises:
            UnavailableError: no room for a minute; this message is not queued.
            MessageError: too large, or the bus refused an earlier one.
            SettingsError: Kafka refuses us, or its topics are not as planned.
        """
        self._check(topic, key, payload)
        self._publisher.put(topic, key, payload, message_id, _REQUEST_S, wanted=False)

    def flush(self, timeout_s: float = 60.0) -> None:
        """Return when all that was sent is stored.

        Raises:
            UnavailableError: the bus stayed away; everything unacknowledged is still queued.
            MessageError: the bus refused a message; the others are stored or still queued.
            SettingsError: Kafka refuses us, or its topics are not as planned.
        """
        missing = self._publisher.flush(timeout_s)
        if missing:
            self._raise_refusal()
            what = ", ".join(f"{count} messages of {name}" for name, count in missing.items())
            raise self._away(f"was to store {what}", timeout_s)

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        """The newest stored message of a topic, or of one key of it; None when there is none.

        Of several partitions, without a key, the one with the highest sequence.

        Raises:
            UnavailableError: the bus stayed away for a minute.
        """
        count = self.partitions(topic)
        among = range(count) if key is None else [partition_of(checked(key), count)]
        tails = [self._tail(topic, partition) for partition in among]
        newest = self._ask("read", lambda: [tail.last(key) for tail in tails])
        return max(filter(None, newest), key=lambda m: m.sequence, default=None)

    def subscribe(
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> KafkaSubscriber:
        """Read a topic from `start_sequence` on (1: all that is kept; 0: only what comes now).

        Raises:
            UnavailableError: with 0 or beyond 1, when the bus stayed away for a minute.
            MessageError: a sequence for several partitions at once.
        """
        subscriber = KafkaSubscriber(
            self._connection, self._reader, topic, self._starts(topic, start_sequence, partition)
        )
        self._subscribers.add(subscriber)
        return subscriber

    def end(self, topic: Topic, partition: int = 0) -> int:
        """The sequence that the next message will have.

        Raises:
            UnavailableError: the bus stayed away for a minute.
        """
        self._wait_ready("tell the end of", _REQUEST_S)
        name = name_of(topic, self._connection.settings)
        return self._ask("tell the end of", lambda: self._reader.bounds(name, partition)[1] + 1)

    def close(self, timeout_s: float = 10.0) -> None:
        """Flush for at most `timeout_s` and disconnect.

        Raises:
            UnavailableError: something is not stored, and now lost.
        """
        if self._closed.is_set():
            return
        try:
            self.flush(timeout_s)
        finally:
            self._closed.set()
            self._connection.close()
            for subscriber in list(self._subscribers):
                subscriber.close()
            self._publisher.close()
            self._reader.close()

    def _starts(self, topic: Topic, start: int, partition: int | None) -> dict[int, int] | None:
        if start == 1:
            return None if partition is None else {partition: 1}
        among = range(self.partitions(topic)) if partition is None else [partition]
        if start and len(among) > 1:
            raise MessageError(
                f"topic {topic.name} has {len(among)} partitions: name the one whose message"
                f" {start} is meant"
            )
        if start:
            return dict.fromkeys(among, start)
        return {p: self.end(topic, p) for p in among}

    def _tail(self, topic: Topic, partition: int) -> Tail:
        tail = self._tails.get((topic.name, partition))
        if tail is None:
            name = name_of(topic, self._connection.settings)
            tail = Tail(self._reader, topic, name, partition)
            self._tails[topic.name, partition] = tail
        return tail

    def _load_ids(self, topic: Topic, ids: RecentIds) -> None:
        """Those stored within the duplicate window; for ever, until the brokers tell.

        Raises:
            KafkaException: they do not let us read the topic, which no waiting mends.
        """
        name = name_of(topic, self._connection.settings)
        since_ms = time.time_ns() // 1_000_000 - self._connection.settings.duplicate_window_s * 1000
        for partition in range(self._connection.partitions[topic.name]):
            while not self._connection.closing.is_set():
                try:
                    self._load(name, partition, since_ms, ids)
                    break
                except KafkaException as error:
                    if error.args[0].code() in FORBIDDEN:
                        raise
                    time.sleep(_PAUSE_S)

    def _load(self, name: str, partition: int, since_ms: int, ids: RecentIds) -> None:
        start = self._reader.offset_at(name, partition, since_ms)
        if start is None:
            return
        _, high = self._reader.bounds(name, partition)
        for message in self._reader.stretch(name, partition, max(start, high - MOST), high):
            if message_id := id_of(message.headers()):
                ids.add(message_id, int(message.offset() or 0) + 1, int(message.timestamp()[1]))

    def _check(self, topic: Topic, key: str, payload: bytes) -> None:
        if self._closed.is_set():
            raise UnavailableError(f"this connection to the bus at {self._url} is closed")
        self._raise_refusal()
        if len(payload) > LARGEST:
            raise MessageError(
                f"a message of {len(payload)} bytes for topic {topic.name}, key {key}: "
                f"the bus takes at most {LARGEST}; publish smaller batches"
            )
        checked(key)

    def _raise_refusal(self) -> None:
        if self._connection.refusal is not None:
            raise self._connection.refusal

    def _wait_ready(self, verb: str, timeout_s: float) -> None:
        if not self._connection.wait_ready(timeout_s):
            raise self._away(f"was asked to {verb} a topic", timeout_s)

    def _ask(self, verb: str, request: Callable[[], T]) -> T:
        deadline = time.monotonic() + _REQUEST_S
        while not self._closed.is_set() and time.monotonic() < deadline:
            try:
                return request()
            except KafkaException:
                time.sleep(_PAUSE_S)
        raise self._away(f"was asked to {verb} a topic", _REQUEST_S)

    def _away(self, what: str, waited_s: float) -> UnavailableError:
        problem = self._connection.problem or "connected, but slow"
        return UnavailableError(
            f"the bus at {self._url} {what} but did not within {waited_s:g} s ({problem}). "
            "Are the brokers running? See `tickhouse doctor`; bus.url says where they are sought"
        )
