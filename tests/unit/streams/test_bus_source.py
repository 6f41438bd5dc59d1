"""A flow's source over a bus: how it rests while nothing comes."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.bus.base import Message
from core.topics import RISK
from streams.connectors.bus import SEVERAL_TOPICS_S, BusSource


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
    source = BusSource(bus, RISK, threading.Event(), wait_s=SEVERAL_TOPICS_S)
    part = source.build_part("bus_risk", RISK.name, None)
    for _ in range(6):
        assert part.next_batch() == []
        # Each turn with a later time would add one more timer to the operator, for ever.
        awake = part.next_awake()
        assert awake is not None
        assert awake <= datetime.now(UTC)
    assert bus.waits[-1] == SEVERAL_TOPICS_S > 0.0 == bus.waits[0]


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
