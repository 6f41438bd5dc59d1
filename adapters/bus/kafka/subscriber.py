"""A reader of one topic's partitions: assigned by us, positions kept by the caller.

A reader begins one duplicate window before its start and only remembers the ids there, so that a
message stored again after a crash is dropped although its first copy was read by a former life.

What retention removed before it was read is skipped, said in the log and counted.
"""

import logging
import threading
import time

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from prometheus_client import Counter, Gauge
from quixstreams.kafka import BaseConsumer

from adapters.bus.base import Message
from adapters.bus.kafka import options
from adapters.bus.kafka.connection import KafkaConnection
from adapters.bus.kafka.ids import MOST, RecentIds, id_of
from adapters.bus.kafka.reading import StretchReader
from adapters.bus.kafka.topics import name_of
from core.errors import UnavailableError
from core.topics import Topic

_log = logging.getLogger(__name__)
_SLICE_S = 0.2  # so late may `close` of another thread be seen
_LAG_EVERY_S = 1.0
_LAG = Gauge("tickhouse_bus_lag_messages", "Stored and not yet read", ["topic", "partition"])
_LOST = Counter("tickhouse_bus_expired_messages", "Removed by retention before read", ["topic"])


class KafkaSubscriber:
    """Reads partitions, each in order. `next` from one thread; `close` from any."""

    def __init__(
        self,
        connection: KafkaConnection,
        reader: StretchReader,
        topic: Topic,
        starts: dict[int, int] | None,
    ) -> None:
        """Read from `starts`, sequences by partition; None: all that is kept of all of them."""
        self._connection, self._reader, self._topic = connection, reader, topic
        self._name = name_of(topic, connection.settings)
        self._starts, self._next = starts, dict(starts or {})
        window_s = connection.settings.duplicate_window_s
        self._ids = RecentIds(window_s)
        self._window_ms = int(window_s * 1000)
        self._consumer = BaseConsumer(
            connection.config,
            f"{connection.settings.topic_prefix}{connection.name}",
            "error",
            auto_commit_enable=False,
            error_callback=connection.on_error,
            extra_config=options.consumer_options(),
        )
        self._using = threading.Lock()
        self._assigned = self._closed = False
        self._measured_s = 0.0

    def next(self, timeout_s: float) -> Message | None:
        """The next message, or None after `timeout_s` without one, or once closed."""
        deadline = time.monotonic() + timeout_s
        while not self._closed and not self._connection.closing.is_set():
            left_s = max(deadline - time.monotonic(), 0.0)
            with self._using:
                message = self._step(min(left_s, _SLICE_S))
            if message is not None:
                return message
            if time.monotonic() >= deadline:
                return None
        return None

    def position(self, partition: int = 0) -> int:
        """The sequence that is read next: all before it was returned, or is a repeat."""
        return self._next.get(partition, 1)

    def commit(self, message: Message) -> None:
        """Tell the group's coordinator, without waiting for its answer."""
        with self._using:
            if self._assigned and not self._closed:
                place = TopicPartition(self._name, message.partition, message.sequence)
                self._consumer.commit(offsets=[place], asynchronous=True)

    def close(self) -> None:
        """Stop reading; a `next` that waits returns None."""
        self._closed = True
        with self._using:
            if self._assigned:
                self._assigned = False
                self._consumer.close()

    def _step(self, wait_s: float) -> Message | None:
        if self._closed:
            return None
        if not self._assigned and not self._begin(wait_s):
            return None
        end = time.monotonic() + wait_s
        while True:
            record = self._consumer.poll(max(end - time.monotonic(), 0.0))
            if record is None:
                self._measure()
                return None
            message = self._taken(record)
            if message is not None:
                self._measure()
                return message

    def _begin(self, wait_s: float) -> bool:
        """Take the partitions once the brokers are there."""
        if not self._connection.wait_ready(wait_s):
            return False
        count = self._connection.partitions[self._topic.name]
        starts = self._starts or dict.fromkeys(range(count), 1)
        try:
            places = [self._place(partition, start) for partition, start in starts.items()]
        except KafkaException as error:
            _log.debug("topic %s: %s", self._name, error)
            return False
        self._next = dict(starts)
        self._consumer.assign(places)
        self._assigned = True
        return True

    def _place(self, partition: int, start: int) -> TopicPartition:
        """Where to begin so that all ids are known that a repeat may have."""
        low, high = self._reader.bounds(self._name, partition)
        wanted = start - 1
        if wanted < low and start > 1:
            self._expired(wanted, low)
        first = min(max(wanted, low), high)
        if first > low and start > 1:
            first = self._earlier(partition, first, high, low)
        return TopicPartition(self._name, partition, first)

    def _earlier(self, partition: int, first: int, high: int, low: int) -> int:
        at_ms = time.time_ns() // 1_000_000
        for message in self._reader.stretch(self._name, partition, first, min(first + 1, high)):
            at_ms = message.timestamp()[1]
        offset = self._reader.offset_at(self._name, partition, at_ms - self._window_ms)
        return max(low, first - MOST, min(first, first if offset is None else offset))

    def _taken(self, record: KafkaMessage) -> Message | None:
        received_ns = time.perf_counter_ns()
        if (error := record.error()) is not None:
            self._trouble(record, error)
            return None
        partition, sequence = int(record.partition() or 0), int(record.offset() or 0) + 1
        message_id = id_of(record.headers())
        known = message_id in self._ids if message_id else False
        if message_id:
            self._ids.add(message_id, sequence, int(record.timestamp()[1]))
        if sequence < self._next[partition]:
            return None  # read in a former life: only its id was wanted
        self._next[partition] = sequence + 1
        if known:
            return None
        key, value = record.key(), record.value()
        return Message(
            self._topic.name,
            key.decode() if isinstance(key, bytes) else "",
            sequence,
            value if isinstance(value, bytes) else b"",
            received_ns,
            partition,
        )

    def _trouble(self, record: KafkaMessage, error: KafkaError) -> None:
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            self._take_up_again(record.partition())
        elif error.fatal():
            raise UnavailableError(f"reading {self._name}: {error.str()}; start again")
        else:
            _log.debug("topic %s: %s", self._name, error)

    def _take_up_again(self, partition: int | None) -> None:
        """Retention overtook us, or the log ends before our place: go on where it is."""
        for number in [partition] if partition is not None and partition >= 0 else self._next:
            try:
                low, high = self._reader.bounds(self._name, number)
            except KafkaException:
                return  # the error comes again
            wanted = self._next[number] - 1
            if wanted < low:
                self._expired(wanted, low)
                self._next[number] = low + 1
            elif low <= wanted <= high:
                low = wanted
            else:
                _log.warning("topic %s ends at %d, before our %d", self._name, high, wanted + 1)
                low = high
            self._consumer.seek(TopicPartition(self._name, number, low))

    def _expired(self, wanted: int, low: int) -> None:
        _LOST.labels(self._topic.name).inc(low - wanted)
        _log.error(
            "topic %s: %d messages from %d on were removed before they were read here: raise"
            " bus.ticks_max_gib or bus.retention_hours",
            self._name, low - wanted, wanted + 1,
        )  # fmt: skip

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured_s < _LAG_EVERY_S:
            return
        self._measured_s = now
        for partition, sequence in self._next.items():
            place = TopicPartition(self._name, partition)
            _, high = self._consumer.get_watermark_offsets(place, cached=True)
            if high >= 0:
                lag = max(high - (sequence - 1), 0)
                _LAG.labels(self._topic.name, str(partition)).set(lag)
