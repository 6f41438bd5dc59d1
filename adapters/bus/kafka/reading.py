"""Reading a stretch of a partition at once: for `last`, and for the ids that a topic holds."""

import threading
import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_END, KafkaError, KafkaException, Message, TopicPartition
from quixstreams.kafka import BaseConsumer

from adapters.bus.kafka import options
from adapters.bus.kafka.connection import KafkaConnection

_ANSWER_S = 5.0
GROUP_SUFFIX = "looks"  # these consumers never join or commit

#: What no waiting mends: the brokers' ACLs.
FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


class StretchReader:
    """One consumer that jumps about. Thread-safe: one stretch at a time."""

    def __init__(self, connection: KafkaConnection) -> None:
        self.lock = threading.RLock()
        self._consumer = BaseConsumer(
            connection.config,
            f"{connection.settings.topic_prefix}{connection.name}.{GROUP_SUFFIX}",
            "error",
            auto_commit_enable=False,
            error_callback=connection.on_error,
            extra_config=options.consumer_options(),
        )
        self._open = False

    def bounds(self, name: str, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the one that comes next.

        Raises:
            KafkaException: no answer.
        """
        with self.lock:
            self._open = True
            place = TopicPartition(name, partition)
            low, high = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
            return int(low), int(high)

    def offset_at(self, name: str, partition: int, at_ms: int) -> int | None:
        """The first offset that was stored at this time or later; None when all is older.

        Raises:
            KafkaException: no answer.
        """
        with self.lock:
            self._open = True
            wanted = [TopicPartition(name, partition, max(at_ms, 0))]
            answer = self._consumer.offsets_for_times(wanted, timeout=_ANSWER_S)[0]
            if answer.error is not None:
                raise KafkaException(answer.error)
            return None if answer.offset in (OFFSET_END, -1) else int(answer.offset)

    def stretch(self, name: str, partition: int, start: int, end: int) -> Iterator[Message]:
        """All messages from one offset to before another; fewer when retention took some.

        Raises:
            KafkaException: the brokers went away in the middle.
        """
        with self.lock:
            self._open = True
            self._consumer.assign([TopicPartition(name, partition, start)])
            try:
                reached, heard_s = start, time.monotonic()
                while reached < end:
                    message = self._consumer.poll(0.2)
                    if message is None or message.error() is not None:
                        self._check(message, heard_s)
                        continue
                    heard_s, reached = time.monotonic(), message.offset() + 1
                    if message.offset() < end:
                        yield message
            finally:
                self._consumer.unassign()

    def close(self) -> None:
        """Disconnect."""
        with self.lock:
            if self._open:
                self._consumer.close()

    @staticmethod
    def _check(message: Message | None, heard_s: float) -> None:
        error = message.error() if message is not None else None
        gone = error is not None and error.code() in (
            KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET, *FORBIDDEN,
        )  # fmt: skip
        if gone or time.monotonic() - heard_s > _ANSWER_S:
            raise KafkaException(error or KafkaError(KafkaError._TIMED_OUT))
