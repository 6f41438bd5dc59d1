"""The newest message of a topic or of one key: read backwards once, kept up to date after.

Kafka has no index by key. Asking the first time for a key that was never written reads the whole
partition that it would be in; what is found on the way is remembered, one message per key.
"""

import time

from confluent_kafka import Message as KafkaMessage

from adapters.bus.base import Message
from adapters.bus.kafka.reading import StretchReader
from core.topics import Topic

_FIRST_STEP, _LAST_STEP = 64, 16_384  # messages read back at a time


class Tail:
    """The end of one partition, as far back as anybody asked for. Under the reader's lock."""

    def __init__(self, reader: StretchReader, topic: Topic, name: str, partition: int) -> None:
        self._reader, self._topic, self._name = reader, topic, name
        self._partition = partition
        self._from = self._to = -1  # offsets that were looked at
        self._newest: dict[str, Message] = {}
        self._last: Message | None = None

    def last(self, key: str | None) -> Message | None:
        """The newest stored message of the partition, or of one key of it.

        Raises:
            KafkaException: the brokers do not answer.
        """
        with self._reader.lock:
            low, high = self._reader.bounds(self._name, self._partition)
            self._catch_up(low, high)
            step = _FIRST_STEP
            while self._from > low and not self._has(key):
                self._look_back(max(low, self._from - step))
                step = min(step * 4, _LAST_STEP)
            newest = self._last if key is None else self._newest.get(key)
            return newest if newest and newest.sequence > low else None

    def _has(self, key: str | None) -> bool:
        return self._last is not None if key is None else key in self._newest

    def _catch_up(self, low: int, high: int) -> None:
        begins_anew = self._to < low or self._to > high or high - self._to > _LAST_STEP
        if begins_anew:
            self._from = self._to = high
            self._newest, self._last = {}, None
            return
        for record in self._reader.stretch(self._name, self._partition, self._to, high):
            message = self._message(record)
            self._newest[message.key] = self._last = message
        self._to = high

    def _look_back(self, start: int) -> None:
        earlier: dict[str, Message] = {}
        newest: Message | None = None
        for record in self._reader.stretch(self._name, self._partition, start, self._from):
            newest = self._message(record)
            earlier[newest.key] = newest
        self._newest = earlier | self._newest
        self._last = self._last or newest
        self._from = start

    def _message(self, record: KafkaMessage) -> Message:
        key, value = record.key(), record.value()
        return Message(
            self._topic.name,
            key.decode() if isinstance(key, bytes) else str(key or ""),
            int(record.offset() or 0) + 1,
            value if isinstance(value, bytes) else b"",
            time.perf_counter_ns(),
            self._partition,
        )
