"""A flow's source over a bus: how it rests while nothing comes."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.bus.base import Message
from core.topics import RISK, TICKS
from streams.connectors.bus import SEVERAL_TOPICS_S, BusSource, TopicShare, TopicsSource
from tests.support.memory_bus import MemoryBus


class _Full:
    """A bus, and a reader of it, on which a million messages wait."""

    def partitions(self, _: object) -> int:
        return 1

    def end(self, *_: object) -> int:
        return 1_000_001

    def subscribe(self, _topic: object, sequence: int, _partition: int) -> "_Full":
        self._next = sequence
        return self

    def next(self, _timeout_s: float) -> Message:
        self._next += 1
        return Message(RISK.name, "key", self._next - 1, b"x" * 1000, 0, 0)

    def position(self, _: int) -> int:
        return self._next


class _Silent:
    """A bus, and a reader of it, with nothing on it."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def partitions(self, _: object) -> int:
        return 1

    def subscribe(self, *_: object) -> "_Silent":
        return self

    def next(self, timeout_s: float) -> None:
        self.waits.append(timeout_s)


def test_an_idle_source_of_several_topics_rests_in_its_turn_and_leaves_no_timer_behind() -> None:
    bus: Any = _Silent()
    source = TopicsSource(bus, [TopicShare(RISK), TopicShare(TICKS)], threading.Event(), {})
    part = source.build_part("topics", "topics", None)
    for _ in range(6):
        assert part.next_batch() == []
        # Each turn with a later time would add one more timer to the operator, for ever.
        awake = part.next_awake()
        assert awake is not None
        assert awake <= datetime.now(UTC)
    assert bus.waits[-1] == SEVERAL_TOPICS_S > 0.0 == bus.waits[0]


def test_several_topics_are_one_source_that_goes_on_where_each_stood() -> None:
    bus = MemoryBus()
    for n in range(3):
        bus.send(RISK, "desk", b"risk", f"r{n}")
        bus.send(TICKS, "oanda.EURUSD", b"ticks", f"t{n}")
    readers = [TopicShare(RISK, lambda message: message.sequence != 2), TopicShare(TICKS)]
    source = TopicsSource(bus, readers, threading.Event(), {TICKS.name: 3})
    assert source.list_parts() == ["topics"]
    part = source.build_part("topics", "topics", None)
    assert [(m.topic, m.sequence) for m in part.next_batch()] == [
        (RISK.name, 1), (RISK.name, 3), (TICKS.name, 3),
    ]  # fmt: skip
    stopping = threading.Event()
    again = TopicsSource(bus, readers, stopping, {}).build_part("topics", "topics", part.snapshot())
    assert again.next_batch() == []
    bus.send(RISK, "desk", b"risk", "r3")
    stopping.set()
    assert [m.sequence for m in again.next_batch()] == [4]
    with pytest.raises(StopIteration):
        again.next_batch()


@pytest.mark.parametrize(("drain_s", "ends"), [(0.0, True), (3600.0, False)])
def test_a_source_that_is_told_to_stop_leaves_to_the_next_start_what_takes_too_long(
    drain_s: float, ends: bool
) -> None:
    bus: Any = _Full()
    stopping = threading.Event()
    source = BusSource(bus, RISK, stopping, batch_bytes=10_000, drain_s=drain_s)
    part = source.build_part("bus_risk", RISK.name, None)
    assert len(part.next_batch()) == 10
    stopping.set()
    if not ends:
        assert len(part.next_batch()) == 10
        return
    with pytest.raises(StopIteration):
        part.next_batch()
    again = source.build_part("bus_risk", RISK.name, part.snapshot())
    assert again.snapshot().next_sequence == 11
