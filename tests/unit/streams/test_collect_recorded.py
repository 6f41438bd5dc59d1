"""The collector of a replay that is told to stop before the recording ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

from core.contracts import codec
from core.contracts.operations import Control
from core.contracts.tick import TickMarker
from core.metrics import Histograms
from core.topics import CONTROL, TICKS
from streams import collect_recorded
from tests.support import replays
from tests.support.markets import TUESDAY, market
from tests.support.memory_bus import MemoryBus
from tests.support.waiting import until

RECORDED = market({"EURUSD_a": [(TUESDAY + ms, 1.1, 1.2) for ms in (1, 3, 5)]}, max_ticks=1,
                  cut_msc=TUESDAY + 2)  # fmt: skip


def collect(bus: MemoryBus, stopping: threading.Event) -> None:
    collect_recorded.collect(bus, RECORDED, replays.SETTINGS, Histograms(), stopping)


def markers(bus: MemoryBus) -> list[str]:
    return [m.kind for m in bus.messages(TICKS) if isinstance(m, TickMarker)]


def test_it_does_not_wait_for_a_model_and_tells_nobody_of_an_end() -> None:
    bus, stopping = MemoryBus(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(collect, bus, stopping)
        until(lambda: "train" in markers(bus))
        stopping.set()
        collecting.result()
    assert markers(bus) == ["slice", "train"]


def test_started_again_it_goes_on_to_the_end() -> None:
    bus, stopped = MemoryBus(), threading.Event()
    stopped.set()
    collect(bus, stopped)
    assert markers(bus) == []
    model = Control(
        run_id=replays.RUN.run_id, kind="model", ts_event_us=1, by="signals", reason="", model="m"
    )
    bus.publish(CONTROL, "model", codec.encode(model))
    collect(bus, threading.Event())
    assert markers(bus) == ["slice", "train", "model", "slice", "slice", "end"]
