"""A flow's source over a bus: how it rests while nothing comes."""

import threading
from datetime import UTC, datetime
from typing import Any

from core.topics import RISK
from streams.connectors.bus import SEVERAL_TOPICS_S, BusSource


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
