"""A live collector beside a terminal that tells of its next tick does not ask in vain."""

import threading
from pathlib import Path

from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.markets.tape import Ticks
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core.clock import SystemClock
from core.credentials import directory_of
from core.health import Health
from core.metrics import Histograms
from core.process import Stopping
from core.sections import CollectorSettings, TerminalSettings
from core.settings import Settings
from core.topics import TICKS
from streams.collect_live import LiveCollector
from tests.support.memory_bus import MemoryBus
from tests.support.terminals import asking
from tests.support.waiting import until

BATCHES = 10


class Counting(SimulatedTerminal):
    """Counts how often it was asked for ticks."""

    calls = 0

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> Ticks | None:
        self.calls += 1
        return super().copy_ticks_range(symbol, date_from, date_to, flags)


def test_a_collector_rests_until_there_is_a_tick(tmp_path: Path) -> None:
    settings = Settings(
        home=str(tmp_path),
        terminal=TerminalSettings(symbols=("BTCUSD",)),
        collector=CollectorSettings(poll_ms=1, backfill_minutes=0),
    )
    terminal, bus, stopping = Counting(GeneratedMarket(("BTCUSD",))), MemoryBus(), threading.Event()
    server = Server(terminal, directory_of(tmp_path))
    client = asking(server, "collector")
    live = LiveCollector(bus, client, settings, SystemClock(), Histograms())
    health = Health("collector", tmp_path / "run")
    thread = threading.Thread(target=live.run, args=(stopping, health))
    thread.start()
    try:
        until(lambda: len(bus.topics[TICKS.name]) >= BATCHES)
        # Once for each batch, once or twice a second between; each millisecond would be hundreds.
        assert terminal.calls < 10 * len(bus.topics[TICKS.name])
    finally:
        stopping.set()
        thread.join()
        client.shutdown()
        server.close()


def test_a_collector_that_is_told_to_stop_does_not_wait_for_a_terminal_that_ended(
    tmp_path: Path,
) -> None:
    """Where all processes are told in one moment, the terminal is gone first."""
    settings = Settings(
        home=str(tmp_path),
        terminal=TerminalSettings(symbols=("BTCUSD",)),
        collector=CollectorSettings(poll_ms=1, backfill_minutes=0),
    )
    server = Server(SimulatedTerminal(GeneratedMarket(("BTCUSD",))), directory_of(tmp_path))
    stopping, bus = Stopping(), MemoryBus()
    link = TcpLink(server.address, server.credentials, "collector", stopping)
    client = RemoteTerminal(link, timeout_s=3600.0)
    live = LiveCollector(bus, client, settings, SystemClock(), Histograms())
    health = Health("collector", tmp_path / "run")
    thread = threading.Thread(target=live.run, args=(stopping, health))
    thread.start()
    try:
        until(lambda: bus.topics[TICKS.name])
        server.close()
        stopping.soon()
        thread.join()
        assert health.status == "ready"  # a terminal that ends with it is no news
    finally:
        client.shutdown()
        health.close()
