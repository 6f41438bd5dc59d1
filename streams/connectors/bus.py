"""Bytewax sources over a bus topic, or over several.

Delivery: the source's state is the next sequence to read, so after a crash it reads again what
came after the last committed epoch; steps and sinks behind it must not mind a repeat.

It ends after a message that `is_last` accepts, and, once `stopping` is set, after the newest
message that was on the bus at that moment, or some seconds later: the rest waits on the bus for the
next start, which goes on where this ended. Nothing is lost when a flow is asked to stop.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from adapters.bus.base import Bus, Message
from core.topics import Topic

#: An idle source waits for its next message in the client's queue, which wakes it at once, and
#: not by polling. Before it does so, these many empty turns let Bytewax finish the steps behind
#: it, because a waiting source holds up the whole worker (4 turns: 85 us p50 through a stateful
#: step, polling each 100 us: 118 us).
_TURNS_BEFORE_WAITING = 4

#: So long may a partition that has others beside it in its worker hold them up.
_AMONG_OTHERS_S = 0.001
#: So long an idle turn of each topic waits, where a flow reads several and no person waits for it.
#: To be awoken later is no way to rest: whatever else wakes a Bytewax source leaves one more timer
#: behind, and a stack that ran for an hour burnt a core.
SEVERAL_TOPICS_S = 0.02
#: So long a live flow that is told to stop works off what is on the bus: who supervises it kills it
#: after 15 seconds, of which storing what it has made takes some.
LIVE_DRAIN_S = 8.0


class SourcePosition(NamedTuple):
    """Where a source stands. Kept in Bytewax's recovery store."""

    next_sequence: int
    ended: bool


def undecoded(message: Message) -> list[Any]:
    """The message itself as the one item."""
    return [message]


class BusSource(FixedPartitionedSource[Any, SourcePosition]):
    """One topic: as one ordered partition, or as many as the bus gives it, each in its order."""

    def __init__(
        self,
        bus: Bus,
        topic: Topic,
        stopping: threading.Event,
        is_last: Callable[[Message], bool] = lambda _: False,
        decode: Callable[[Message], list[Any]] = undecoded,
        wait_s: float = 0.1,
        batch_bytes: int = 4_000_000,
        belongs: Callable[[Message], bool] | None = None,
        start_sequence: int = 1,
        drain_s: float = math.inf,
    ) -> None:
        """A source that is not open yet.

        Args:
            bus: to read from.
            topic: what to read.
            stopping: once set, the source ends after the newest message of that moment.
            is_last: accepts the message after which the source ends.
            decode: a message's items; in the source, because a step of its own costs a live
                tick some 60 us of scheduling.
            wait_s: how long an idle turn waits, and holds up what shares its worker.
            batch_bytes: payload that ends a batch.
            belongs: what is another shard's is passed over; None: all is ours.
            start_sequence: of a topic of one partition, where nothing is committed yet.
            drain_s: ends so long after `stopping` was set, whatever is still on the bus.
        """
        self._bus, self._topic, self._stopping = bus, topic, stopping
        self._decode = decode if belongs is None else _of_ours(belongs, decode)
        self._is_last, self._wait_s, self._batch_bytes = is_last, wait_s, batch_bytes
        self._start, self._drain_s = start_sequence, drain_s

    def list_parts(self) -> list[str]:
        """The bus's partitions; Bytewax gives each to one of the workers."""
        count = self._bus.partitions(self._topic)
        return (
            [self._topic.name] if count == 1 else [f"{self._topic.name}-{p}" for p in range(count)]
        )

    def build_part(
        self, step_id: str, for_part: str, resume_state: SourcePosition | None
    ) -> "_BusPartition":
        """Read from where the last committed epoch ended."""
        position = SourcePosition(*resume_state or (self._start, False))
        alone = for_part == self._topic.name
        return _BusPartition(
            bus=self._bus, topic=self._topic,
            partition=0 if alone else int(for_part.rpartition("-")[2]), stopping=self._stopping,
            is_last=self._is_last, decode=self._decode,
            wait_s=self._wait_s if alone else min(self._wait_s, _AMONG_OTHERS_S),
            batch_bytes=self._batch_bytes, position=position, drain_s=self._drain_s,
        )  # fmt: skip


def _of_ours(
    belongs: Callable[[Message], bool], decode: Callable[[Message], list[Any]]
) -> Callable[[Message], list[Any]]:
    return lambda message: decode(message) if belongs(message) else []


class TopicShare(NamedTuple):
    """What is read of one of several topics.

    belongs: what is another shard's is passed over; None: all is ours.
    """

    topic: Topic
    belongs: Callable[[Message], bool] | None = None


class TopicsSource(FixedPartitionedSource[Any, dict[str, SourcePosition]]):
    """Several topics as one source, whose epochs are then the same.

    Each Bytewax source counts its own, and is not asked while its epoch is ahead of another's. Once
    a process has been stopped for some seconds (a machine that slept) theirs may begin apart: then
    all but one of its sources are asked half of the time only, and the worker never rests.
    """

    def __init__(
        self, bus: Bus, shares: Sequence[TopicShare], stopping: threading.Event,
        starts: Mapping[str, int], drain_s: float = math.inf, batch_bytes: int = 4_000_000,
    ) -> None:  # fmt: skip
        """A source that is not open yet; see BusSource.

        Args:
            bus: to read from.
            shares: what is read, each topic once.
            stopping: once set, it ends after the newest messages of that moment.
            starts: where nothing is committed, the next message of each topic's partition.
            drain_s: ends so long after `stopping` was set, whatever is still on the bus.
            batch_bytes: payload of one topic that ends a batch.
        """
        self._bus, self._shares, self._stopping = bus, shares, stopping
        self._starts, self._drain_s, self._batch_bytes = starts, drain_s, batch_bytes

    def list_parts(self) -> list[str]:
        """One."""
        return ["topics"]

    def build_part(
        self, step_id: str, for_part: str, resume_state: dict[str, SourcePosition] | None
    ) -> "_TopicsPartition":
        """Each topic from where the last committed epoch ended."""
        places = {name: SourcePosition(*place) for name, place in (resume_state or {}).items()}
        parts = dict[str, _BusPartition]()
        for topic, belongs in self._shares:
            source = BusSource(
                self._bus, topic, self._stopping, belongs=belongs, drain_s=self._drain_s,
                batch_bytes=self._batch_bytes,
            )  # fmt: skip
            for part in source.list_parts():
                start = SourcePosition(self._starts.get(part, 1), False)
                parts[part] = source.build_part(step_id, part, places.get(part, start))
        return _TopicsPartition(parts, self._stopping)


class _TopicsPartition(StatefulSourcePartition[Any, dict[str, SourcePosition]]):
    def __init__(self, parts: "dict[str, _BusPartition]", stopping: threading.Event) -> None:
        self._parts, self._stopping, self._empty_turns = parts, stopping, 0

    def next_batch(self) -> list[Any]:
        open_ = [part for part in self._parts.values() if not part.is_over()]
        if not open_:
            raise StopIteration
        batch: list[Any] = []
        for part in open_:
            batch += part.take(0.0)
        if not batch and self._empty_turns >= _TURNS_BEFORE_WAITING:
            batch = self._waited(open_)
        self._empty_turns = 0 if batch else self._empty_turns + 1
        return batch

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC)

    def snapshot(self) -> dict[str, SourcePosition]:
        return {name: part.snapshot() for name, part in self._parts.items()}

    def close(self) -> None:
        for part in self._parts.values():
            part.close()

    def _waited(self, open_: "Sequence[_BusPartition]") -> list[Any]:
        """What comes first on one of the topics, each of which is waited for in turn."""
        for part in open_:
            if batch := part.take(0.0 if self._stopping.is_set() else SEVERAL_TOPICS_S):
                return batch
        return []


class _BusPartition(StatefulSourcePartition[Any, SourcePosition]):
    def __init__(
        self,
        bus: Bus,
        topic: Topic,
        partition: int,
        stopping: threading.Event,
        is_last: Callable[[Message], bool],
        decode: Callable[[Message], list[Any]],
        wait_s: float,
        batch_bytes: int,
        position: SourcePosition,
        drain_s: float,
    ) -> None:
        self._bus, self._topic, self._stopping, self._decode = bus, topic, stopping, decode
        self._is_last, self._wait_s, self._batch_bytes = is_last, wait_s, batch_bytes
        self._partition, self._position = partition, position
        self._subscriber = bus.subscribe(topic, position.next_sequence, partition)
        self._empty_turns = 0
        self._drain_s = drain_s
        self._drain_to: int | None = None
        self._drain_until_s = math.inf

    def next_batch(self) -> list[Any]:
        if self.is_over():
            raise StopIteration
        batch = self.take(self._patience())
        self._empty_turns = 0 if batch else self._empty_turns + 1
        return batch

    def is_over(self) -> bool:
        """Whether nothing is to be read any more."""
        return self._position.ended or self._drained()

    def take(self, patience_s: float) -> list[Any]:
        """Items of what has come, up to a batch; of what comes within so many seconds."""
        batch: list[Any] = []
        size = 0
        message = self._subscriber.next(patience_s)
        while message is not None:
            batch += self._decode(message)
            size += len(message.payload)
            ended = self._is_last(message)
            self._position = SourcePosition(message.sequence + 1, ended)
            if ended or size >= self._batch_bytes:
                break
            message = self._subscriber.next(0.0)
        return batch

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC)

    def snapshot(self) -> SourcePosition:
        return self._position

    def close(self) -> None:
        self._subscriber.close()

    def _patience(self) -> float:
        waits = self._empty_turns >= _TURNS_BEFORE_WAITING and not self._stopping.is_set()
        return self._wait_s if waits else 0.0

    def _drained(self) -> bool:
        if not self._stopping.is_set():
            return False
        if self._drain_to is None:
            self._drain_to = self._bus.end(self._topic, self._partition)
            self._drain_until_s = time.monotonic() + self._drain_s
        return (
            self._subscriber.position(self._partition) >= self._drain_to
            or time.monotonic() >= self._drain_until_s
        )
