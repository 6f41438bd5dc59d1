"""A bus in this process, for tests of what stands above it. Stores nothing on disk."""

import time
from collections import defaultdict

from adapters.bus.base import Message
from core.contracts import codec
from core.topics import Topic


class MemoryBus:
    """Implements Bus: order per topic, sequences from 1, repeated message ids stored once."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Message]] = defaultdict(list)
        self._ids: dict[tuple[str, str], int] = {}

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        stored = self.topics[topic.name]
        known = self._ids.get((topic.name, message_id)) if message_id else None
        if known is None:
            known = len(stored) + 1
            stored.append(Message(topic.name, key, known, payload, time.perf_counter_ns()))
            self._ids[topic.name, message_id] = known
        return known

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        self.publish(topic, key, payload, message_id)

    def flush(self, timeout_s: float = 60.0) -> None:
        """Nothing is ever on the way."""

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        messages = [m for m in self.topics[topic.name] if key in (None, m.key)]
        return messages[-1] if messages else None

    def partitions(self, topic: Topic) -> int:
        return 1

    def end(self, topic: Topic, partition: int = 0) -> int:
        return len(self.topics[topic.name]) + 1

    def subscribe(
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> "MemorySubscriber":
        stored = self.topics[topic.name]
        return MemorySubscriber(stored, start_sequence - 1 if start_sequence else len(stored))

    def healthy(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to close."""

    def messages(self, topic: Topic) -> list[object]:
        """All messages of a topic, decoded."""
        return [codec.decode(topic.name, m.payload) for m in self.topics[topic.name]]


class MemorySubscriber:
    """Implements Subscriber."""

    def __init__(self, stored: list[Message], place: int) -> None:
        self._stored, self._place = stored, place

    def next(self, timeout_s: float) -> Message | None:
        if self._place >= len(self._stored):
            time.sleep(min(timeout_s, 0.01))
        if self._place >= len(self._stored):
            return None
        self._place += 1
        return self._stored[self._place - 1]

    def position(self, partition: int = 0) -> int:
        return self._place + 1

    def commit(self, message: Message) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nothing to close."""
