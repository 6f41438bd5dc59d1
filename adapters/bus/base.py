"""What a bus promises; `adapters.bus.select` chooses which one.

Calls are synchronous and block: callers are plain loops and Bytewax steps. An implementation
may run its client's event loop in a thread of its own.
"""

from typing import NamedTuple, Protocol

from core.topics import Topic


class Message(NamedTuple):
    """One delivered message. `sequence` is its place in its partition of the topic, from 1.

    There is one partition, and so one order of the whole topic, everywhere but in topic `ticks`
    on a Kafka that was given several; there each key has its partition, and order is per key.

    A gap in the sequence appears only where retention removed old messages, and on Kafka where
    a reader dropped a repeated message id. On an unsynced NATS topic a sequence may come again
    with another message, once, when the bus was killed (see Publisher).
    """

    topic: str
    key: str
    sequence: int
    payload: bytes
    received_ns: int  # time.perf_counter_ns() when it reached this process; on Kafka, the caller
    partition: int = 0


class Publisher(Protocol):
    """Writes to topics.

    Delivery: `publish` returns after the bus has stored the message (on disk with fsync when
    the topic is synced; with several brokers, on as many of them as settings say). While the bus
    is away it retries until `timeout_s` and then raises UnavailableError; the message may then be
    stored or not. Publishing the same `message_id` again within the duplicate window stores
    nothing that a reader sees.

    Unsynced topics on NATS: a bus that is killed (SIGKILL, power) forgets what it acknowledged in
    its last milliseconds. A publisher that lives on sends its last second again by itself, in
    order, and readers drop what they saw: nothing is lost. If the publisher dies in the same
    moment, its successor learns from `last` where the topic ends now, and resumes there.
    """

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        """Store one message; return its sequence (of the first copy if repeated)."""
        ...

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Queue one message without waiting; `flush` waits. Order within a topic is kept."""
        ...

    def flush(self, timeout_s: float = 60.0) -> None:
        """Return when all that was sent is stored.

        Raises:
            UnavailableError: the bus stayed away; everything unacknowledged is still queued.
        """
        ...

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        """The newest stored message of a topic, or of one key of it; None when there is none."""
        ...

    def close(self) -> None:
        """Flush and disconnect."""
        ...


class Subscriber(Protocol):
    """Reads one topic in order, from a sequence on, across bus restarts, without gap or repeat.

    The reader keeps its own position: that, and not what `commit` tells, is where it begins.
    Several partitions read together come in the order of each of them, and in no common one.
    """

    def next(self, timeout_s: float) -> Message | None:
        """The next message, or None after `timeout_s` without one."""
        ...

    def position(self, partition: int = 0) -> int:
        """The sequence that is read next: all before it was returned, or is a repeat."""
        ...

    def commit(self, message: Message) -> None:
        """Tell the bus that all up to this message is dealt with for good, for people to see.

        Kafka shows it as a consumer group's lag; NATS has no such thing, and nothing happens.
        """
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class Bus(Publisher, Protocol):
    """A connection: publisher and maker of subscribers. Reconnects by itself, for ever."""

    def subscribe(
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> Subscriber:
        """Read a topic from `start_sequence` on (1: all that is kept; 0: only what comes now).

        Without `partition` all of them are read, which a topic of several allows from 0 and 1 only.
        """
        ...

    def partitions(self, topic: Topic) -> int:
        """How many the topic has."""
        ...

    def end(self, topic: Topic, partition: int = 0) -> int:
        """The sequence that the next message will have."""
        ...

    def healthy(self) -> bool:
        """Whether the connection is up at this moment."""
        ...
