"""The live page's process for tests, and a desk that tells it what the other processes would."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.contracts.tick import TICK, TickBatch
from tests.support.warehouse_server import ROOT

FEED = "sim/BTCUSD"


def batch(offset: int, time_msc: int, bid: float) -> TickBatch:
    tick = np.zeros(1, TICK)
    tick["time_msc"], tick["bid"], tick["ask"], tick["ts_recv_us"] = (
        time_msc,
        bid,
        bid + 1,
        time_msc * 1000,
    )
    return TickBatch("live", "demo", "sim", "BTCUSD", offset, 0, tick.tobytes())


def now_msc() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def page(home: Path, bus_url: str, warehouse_url: str) -> Iterator[str]:
    """A running page; its URL. It ends with 0 when asked to."""
    environment = os.environ | {
        "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_BUS__URL": bus_url,
        "TICKHOUSE_CLICKHOUSE__URL": warehouse_url,
    }
    line = [sys.executable, "-m", "dashboards.live"]
    process = subprocess.Popen(line, cwd=ROOT, env=environment)
    try:
        yield _url(home, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _url(home: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            port = json.loads((home / "run" / "board.json").read_text())["health_port"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return str(json.load(answer)["detail"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)
    raise RuntimeError("the page did not start")
