"""`python -m execution` on a live bus and terminal, and prices that fall: for tests and benches."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core.contracts import codec
from core.contracts.tick import TICK, TickArray, TickBatch
from core.credentials import directory_of
from core.sections import BusSettings
from core.topics import TICKS
from tests.support.servers import NatsServer
from tests.support.waiting import until

SYMBOL, PRICE, FALLEN = "BTCUSD", 60_000.0, 58_000.0
HISTORY_S = 240
ACCOUNT = "live"


@contextmanager
def execution(
    home: Path, bus_home: Path | None = None
) -> Iterator[tuple[Bus, "subprocess.Popen[bytes]"]]:
    """The process, ready, with its bus; both end with the block. `bus_home`: HOME/bus."""
    bus_home = bus_home or home / "bus"
    bus_home.mkdir(parents=True)
    terminal = Server(SimulatedTerminal(GeneratedMarket((SYMBOL,), "sim", 7)), directory_of(home))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    with NatsServer(bus_home) as server:
        settings = {
            "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": server.url,
            "TICKHOUSE_TERMINAL__ADDRESS": terminal.address, "TICKHOUSE_RUN__ACCOUNT": ACCOUNT,
        }  # fmt: skip
        line = [sys.executable, "-m", "execution"]
        process = subprocess.Popen(line, env=kept | settings, stderr=subprocess.DEVNULL)
        bus = select.connect(BusSettings(url=server.url), "test")
        try:
            until(lambda: _is_ready(home), running=process)
            yield bus, process
        finally:
            process.kill()
            process.wait()
            bus.close()
            terminal.close()


def quiet(bus: Bus, source: str, now_ms: int) -> None:
    """Minutes of calm in one message, up to now."""
    ticks = np.zeros(HISTORY_S, TICK)
    ticks["time_msc"] = now_ms - 1000 * np.arange(HISTORY_S, 0, -1)
    ticks["bid"] = ticks["ask"] = PRICE + np.arange(HISTORY_S) % 3
    send(bus, source, ticks, 0)


def fall(bus: Bus, source: str, now_ms: int) -> None:
    """Two quotes far below: the second shows that the first was no odd one."""
    ticks = np.zeros(2, TICK)
    ticks["time_msc"] = now_ms, now_ms + 1
    ticks["bid"] = ticks["ask"] = FALLEN
    send(bus, source, ticks, HISTORY_S)


def send(bus: Bus, source: str, ticks: TickArray, offset: int) -> None:
    """As the collector does."""
    batch = TickBatch("live", "demo", source, SYMBOL, offset, 0, ticks.tobytes())
    bus.send(TICKS, f"{source}.{SYMBOL}", codec.encode(batch), f"{source}.{offset}")
    bus.flush()


def tripped(home: Path) -> Path:
    """Where a breaker's word stands."""
    return home / "execution" / ACCOUNT / "breakers.json"


def _is_ready(home: Path) -> bool:
    """It says so itself: what is sent before, a first start takes for what was sent to another."""
    try:
        port = json.loads((home / "run" / "execution.json").read_text())["health_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(json.load(answer)["status"] == "ready")
    except (OSError, ValueError):
        return False
