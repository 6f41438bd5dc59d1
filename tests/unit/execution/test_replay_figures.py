"""A replay's figures of risk: complete before a slice is handled, and known no sooner than live."""

import threading

from msgspec import Struct
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.risk import MarketRisk, MarketRiskEnd
from core.contracts.signal import SignalBatch
from core.contracts.tick import TickMarker
from core.topics import MARKET_RISK, SIGNALS, TICKS, Topic
from execution.replay_slices import SliceReader
from tests.support.memory_bus import MemoryBus

RUN, MINUTE = "r1", 60_000_000
FIGURES = MarketRisk(
    run_id=RUN, mode="replay", ts_event_us=MINUTE, slice=1, feeds=[("x", "EURUSD")], mids=[1.1],
    sigma=[1e-4], correlation=[1.0], shrinkage=0.0, observations=100,
)  # fmt: skip


def bus_with(*figures: Struct) -> MemoryBus:
    bus = MemoryBus()

    def put(topic: Topic, message: Struct) -> None:
        bus.publish(topic, "k", codec.encode(message))

    for number in (1, 2):
        put(TICKS, TickMarker(RUN, "slice", number, number * 5 * MINUTE))
        put(SIGNALS, SignalBatch(RUN, number, number * 5 * MINUTE, []))
    for message in figures:
        put(MARKET_RISK, message)
    return bus


def reader(bus: MemoryBus, *, figures: bool = True) -> SliceReader:
    stop = threading.Event()
    subscribed = bus.subscribe(MARKET_RISK) if figures else None
    # Who waits in vain is told to stop.
    return SliceReader(
        bus.subscribe(TICKS), bus.subscribe(SIGNALS), RUN, stop, stop.set, subscribed
    )


def test_a_slice_has_the_figures_of_its_minutes_in_order_and_once() -> None:
    later = replace(FIGURES, ts_event_us=2 * MINUTE)
    other = replace(FIGURES, run_id="another", ts_event_us=3 * MINUTE)
    second = replace(FIGURES, slice=2, ts_event_us=6 * MINUTE)
    slices = reader(
        bus_with(
            later, FIGURES, other, FIGURES, MarketRiskEnd(RUN, 1), second, MarketRiskEnd(RUN, 2)
        )
    )
    first, then = slices.next(), slices.next()
    assert first is not None
    assert then is not None
    assert first.risk == [FIGURES, later]
    assert then.risk == [second]


def test_without_all_figures_of_a_slice_execution_waits() -> None:
    assert reader(bus_with(FIGURES)).next() is None


def test_where_no_limit_needs_them_nobody_waits() -> None:
    part = reader(bus_with(), figures=False).next()
    assert part is not None
    assert part.risk == []
