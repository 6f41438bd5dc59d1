"""A collector that starts again takes each tick once, wherever in a millisecond it stopped."""

import threading
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.contracts.tick import QuarantineBatch, TickBatch
from core.health import Health
from core.metrics import Histograms
from core.sections import TerminalSettings
from core.settings import Settings
from core.topics import TICKS
from streams.collect_live import LiveCollector
from tests.support.markets import TUESDAY, Rows, terminal
from tests.support.memory_bus import MemoryBus

ASK = 1.2
TOO_LARGE = 1e11  # refused


class Once(threading.Event):
    """Stops whoever polls before it would poll again."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def collect(bus: MemoryBus, rows: Rows, folder: Path) -> None:
    """A collector starts, polls once a terminal that has these ticks, and ends."""
    at = terminal({"EURUSD_a": rows})
    at.at(TUESDAY + 10)
    clock = ManualClock()
    clock.advance((TUESDAY + 10) * 1000)
    settings = Settings(terminal=TerminalSettings(symbols=("EURUSD",)))
    collector = LiveCollector(bus, at, settings, clock, Histograms())
    collector.run(Once(), Health("collector", folder))


def kept(bus: MemoryBus) -> list[tuple[int, int, float]]:
    batches = [m for m in bus.messages(TICKS) if isinstance(m, TickBatch)]
    return [
        (int(tick["time_msc"]) - TUESDAY, int(tick["seq"]), float(tick["bid"]))
        for batch in batches
        for tick in batch.ticks
    ]


def refused(bus: MemoryBus) -> set[str]:
    batches = [m for m in bus.messages(TICKS) if isinstance(m, QuarantineBatch)]
    return {tick.raw for batch in batches for tick in batch.ticks}


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_stop_within_a_millisecond_takes_no_tick_twice_and_leaves_none(
    stop: int, tmp_path: Path
) -> None:
    """Refused ticks among the kept ones count for the terminal, and not in what is on the bus."""
    bids = (1.1, TOO_LARGE, 1.11, TOO_LARGE, 1.12, 1.13)
    rows = [(TUESDAY + 5, bid, ASK) for bid in bids]
    undisturbed, stopped = MemoryBus(), MemoryBus()
    collect(undisturbed, rows, tmp_path)
    collect(stopped, rows[:stop], tmp_path)
    collect(stopped, rows, tmp_path)
    assert kept(stopped) == kept(undisturbed) == [
        (5, 0, 1.1), (5, 1, 1.11), (5, 2, 1.12), (5, 3, 1.13),
    ]  # fmt: skip
    assert refused(stopped) == refused(undisturbed)
