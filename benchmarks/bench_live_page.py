"""The live page: from an event taken off the bus to the same event at a websocket.

    python -m benchmarks.bench_live_page [--ticks N] [--rate N] [--viewers N] [--browser]

The product's own bus server, `python -m dashboards.live` in a process of its own, and ticks
published one by one. The floor, in the same run and for the same ticks: a subscriber of the bus in
this process that does nothing else. Measured beside it in this process: when a websocket has the
same tick. The difference is what the page costs, first with one viewer, then with `--viewers`,
which read in a process of their own. Goal: p99 of the difference under 10 ms. `--browser` measures
first paint and publish to pixel in a headless Chromium instead: benchmarks/browser_page.py.
"""

import argparse
import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from adapters.bus import select
from adapters.bus.base import Bus
from benchmarks import browser_page
from benchmarks.machine import StallMeter, describe
from benchmarks.percentiles import of_durations
from core.contracts import codec
from core.contracts.tick import TICK, TickBatch
from core.sections import BusSettings
from core.topics import TICKS
from tests.support.servers import NatsServer, free_port

GOAL_MS = 10.0
_START_MSC = 1_795_000_000_000


def main() -> None:
    """Measure with one viewer and with many; print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=100.0, help="ticks per second")
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--browser", action="store_true", help="first paint, event to pixel")
    options = parser.parse_args()
    console = Console(highlight=False)
    console.print(describe())
    if options.browser:
        _in_a_browser(console, options.ticks, options.rate)
        return
    table = Table("viewers", "", "p50", "p99", "p99.9", title="microseconds")
    for viewers in (1, options.viewers):
        with _servers() as (bus, url), _crowd(url, viewers - 1), StallMeter() as stalls:
            floor, page = asyncio.run(_measure(bus, url, options.ticks, options.rate))
        for name, values in (("bus", floor), ("page", page), ("page over bus", page - floor)):
            table.add_row(str(viewers), name, *(f"{v:,.0f}" for v in of_durations(values)))
        table.add_row(
            "", "sleep of 1 ms late by", *(f"{v:,.0f}" for v in of_durations(stalls.late_ns))
        )
    console.print(table)
    console.print(f"goal: page over bus, p99, under {GOAL_MS * 1000:,.0f}")


def _in_a_browser(console: Console, ticks: int, rate: float) -> None:
    with _servers() as (bus, url), StallMeter() as stalls:
        paints, pixels = browser_page.measure(bus, url, ticks, rate)
    table = Table("", "p50", "p95", "max", "goal")
    for name, values, goal in (
        ("first contentful paint, s", paints, f"{browser_page.FIRST_PAINT_S:g}"),
        ("publish to pixel, ms", pixels, f"p95 {browser_page.PIXEL_MS:g}"),
        ("sleep of 1 ms late by, ms", stalls.late_ns / 1e6, ""),
    ):
        shown = (*np.quantile(values, (0.5, 0.95)), values.max())
        table.add_row(name, *(f"{value:.2f}" for value in shown), goal)
    console.print(table)
    console.print(f"{len(paints)} loads without a cache, {len(pixels)} of {ticks} events shown")


@contextmanager
def _servers() -> Iterator[tuple[Bus, str]]:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "nats").mkdir()
        with NatsServer(home / "nats") as server:
            bus = select.connect(BusSettings(url=server.url), "bench")
            environment = os.environ | {
                "TICKHOUSE_HOME": directory,
                "TICKHOUSE_BUS__URL": server.url,
                "TICKHOUSE_CLICKHOUSE__URL": "http://127.0.0.1:9",
            }
            line = [sys.executable, "-m", "dashboards.live", "--port", str(free_port())]
            page = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
            try:
                _until_served(int(line[-1]))
                yield bus, f"http://127.0.0.1:{line[-1]}"
            finally:
                page.send_signal(signal.SIGTERM)
                page.wait(timeout=20)
                bus.close()


def _until_served(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the page did not start")


@contextmanager
def _crowd(url: str, count: int) -> Iterator[None]:
    child = multiprocessing.get_context("spawn").Process(target=_read_all, args=(url, count))
    child.start()
    time.sleep(2.0)
    try:
        yield
    finally:
        child.terminate()
        child.join()


def _read_all(url: str, count: int) -> None:
    async def read() -> None:
        async with connect(_socket(url), origin=url, max_size=None) as viewer:  # type: ignore[arg-type]
            async for _ in viewer:
                pass

    async def all_of_them() -> None:
        await asyncio.gather(*(read() for _ in range(count)))

    asyncio.run(all_of_them())


async def _measure(bus: Bus, url: str, ticks: int, rate: float) -> "tuple[_Times, _Times]":
    floor, page, sent = (np.zeros(ticks, np.int64) for _ in range(3))
    reading = threading.Thread(target=_read_bus, args=(bus, floor), daemon=True)
    reading.start()
    async with connect(_socket(url), origin=url, max_size=None) as viewer:  # type: ignore[arg-type]
        await viewer.recv()
        await asyncio.sleep(1.0)
        publishing = asyncio.create_task(asyncio.to_thread(_publish, bus, sent, rate))
        while not page[-1]:
            items = msgspec.json.decode(await viewer.recv())
            now = time.perf_counter_ns()
            for item in items:
                if item["k"].startswith("quote|"):
                    number = int(item["v"]["time"] // 1000 - _START_MSC)
                    page[number] = page[number] or now
        await publishing
    reading.join(timeout=10.0)
    shown = page > 0  # what came within one pause of 4 ms is told once, by its newest
    return floor[shown] - sent[shown], page[shown] - sent[shown]


_Times = np.ndarray[tuple[int], np.dtype[np.int64]]


def _publish(bus: Bus, sent: _Times, rate: float) -> None:
    due = time.perf_counter()
    for number in range(len(sent)):
        due += 1.0 / rate
        time.sleep(max(due - time.perf_counter(), 0.0))
        tick = np.zeros(1, TICK)
        tick["time_msc"], tick["bid"], tick["ask"] = _START_MSC + number, 1.0 + number, 2.0 + number
        message = TickBatch("live", "demo", "sim", "EURUSD", number, 0, tick.tobytes())
        payload = codec.encode(message)
        sent[number] = time.perf_counter_ns()
        bus.send(TICKS, "sim.EURUSD", payload)


def _read_bus(bus: Bus, floor: _Times) -> None:
    subscriber = bus.subscribe(TICKS)
    for number in range(len(floor)):
        while (message := subscriber.next(5.0)) is None:
            pass
        floor[number] = message.received_ns
    subscriber.close()


def _socket(url: str) -> str:
    return url.replace("http", "ws", 1) + "/live"


if __name__ == "__main__":
    main()
