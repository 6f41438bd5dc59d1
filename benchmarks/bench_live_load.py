"""Live under load: updates a second of many symbols, and whether anything falls behind.

    python -m benchmarks.bench_live_load [--rate 100000] [--symbols 50] [--seconds 60]

The product's own bus, warehouse and the flows `ticks`, `signals` and `executions`, each a process
of its own on a fresh home. Ticks are published as the collector publishes them when it comes round
to each symbol every `--every-ms`. Each second it is asked how far behind what is stored is: of
`tick` by its rows, of `feature` by its newest row, which every symbol has once a second. Stored
rows wait for others by design, 3 s those of `tick` and 5 s those of `feature`, so a lag of that
goes up and down at best. What counts is whether the last third lags as the first did.

CPU seconds and the largest proportional memory of every process, this one among them: it makes the
ticks, a thing that no user pays for.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.clickhouse.migrate import apply
from benchmarks.bench_replay import CpuSampler
from benchmarks.figures import Figure, note
from benchmarks.machine import describe
from core.contracts import codec
from core.contracts.tick import TICK, TickArray, TickBatch
from core.sections import BusSettings
from core.settings import environment_of
from core.topics import TICKS
from features.catalog import NAMES
from tests.support.buses import running
from tests.support.warehouse_server import Warehouse

GOAL_S = 0.5  # how much more the end may lag than the beginning
_SOURCE, _FLOWS = "bench", ("ticks", "signals", "executions")
_STORED = "SELECT count() FROM tick"
_SYMBOLS = "SELECT uniq(symbol) FROM feature"
_PATIENCE_S = 120.0


class Lag(NamedTuple):
    """At one moment of the run, all in seconds: of the ticks, and of the feature rows, stored."""

    at_s: float
    ticks_s: float
    rows_s: float


class Market:
    """Random walks of many symbols, made in blocks of equal length."""

    def __init__(self, symbols: int, rate: float) -> None:
        self.names = [f"B{number:04d}" for number in range(symbols)]
        self.rate, self._each = rate, rate / symbols
        self._random = np.random.default_rng(1)
        self._bid = self._random.uniform(1.0, 2.0, symbols)
        self.sent = [0] * symbols

    def send(self, bus: Bus, before_s: float, now_s: float) -> None:
        """Publish what happened between two moments, Unix seconds."""
        count = int(now_s * self._each) - int(before_s * self._each)
        for number, name in enumerate(self.names if count else ()):
            ticks = self._ticks(number, count, before_s, now_s)
            key, data = f"{_SOURCE}.{name}", ticks.tobytes()
            batch = TickBatch("live", "demo", _SOURCE, name, self.sent[number], 0, data)
            bus.send(TICKS, key, codec.encode(batch))
            self.sent[number] += count

    def _ticks(self, number: int, count: int, before_s: float, now_s: float) -> TickArray:
        ticks = np.zeros(count, TICK)
        first, last = int(before_s * 1000) + 1, int(now_s * 1000)
        time_msc = np.sort(self._random.integers(first, last, count, endpoint=True))
        ticks["time_msc"] = time_msc
        ticks["seq"] = np.arange(count) - np.searchsorted(time_msc, time_msc)
        ticks["flags"], ticks["ts_recv_us"] = 6, int(now_s * 1e6)
        steps = self._bid[number] + np.cumsum(self._random.normal(0.0, 1e-6, count))
        ticks["bid"] = np.round(steps, 5)
        ticks["ask"] = ticks["bid"] + 1e-4
        self._bid[number] = steps[-1]
        return ticks


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100_000.0, help="ticks a second, all symbols")
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every-ms", type=float, default=50.0, help="a message of each symbol")
    options = parser.parse_args()
    console = Console(highlight=False)
    console.print(describe())
    market = Market(options.symbols, options.rate)
    sampler = CpuSampler(os.getpid())
    with _stack() as (bus, client):
        _run(market, bus, client, 3.0, options.every_ms / 1000)
        _until(client, _SYMBOLS, options.symbols, "no row of some symbol")  # kernels are compiled
        sent, lags = _run(market, bus, client, options.seconds, options.every_ms / 1000)
        drained_s = _until(client, _STORED, sum(market.sent), "not all ticks were stored")
    used = sampler.stop()
    console.print(
        f"{sent / options.seconds:,.0f} of {options.rate:,.0f} ticks a second sent over"
        f" {options.symbols} symbols for {options.seconds:.0f} s; all stored"
        f" {drained_s:.1f} s after the last"
    )
    _show(console, lags, used, sampler.memory_mib)
    console.print(describe())


def _run(
    market: Market, bus: Bus, client: Client, seconds: float, every_s: float
) -> tuple[int, list[Lag]]:
    """Send for some seconds; ticks sent, and what lagged, once a second."""
    before = sum(market.sent)
    begin_s = done_s = time.time()
    lags = list[Lag]()
    while done_s - begin_s < seconds:
        time.sleep(max(done_s + every_s - time.time(), 0.0))
        now_s = time.time()
        market.send(bus, done_s, now_s)
        done_s = now_s
        if now_s - begin_s >= len(lags) + 1:
            lags.append(_lag(market, client, now_s, now_s - begin_s))
    return sum(market.sent) - before, lags


def _lag(market: Market, client: Client, now_s: float, at_s: float) -> Lag:
    newest_us = _number(client, "SELECT toUnixTimestamp64Micro(max(ts_event)) FROM feature")
    stored = _number(client, _STORED)
    return Lag(at_s, (sum(market.sent) - stored) / market.rate, now_s - newest_us / 1e6)


def _number(client: Client, sql: str) -> int:
    ((number,),) = client.query(sql).result_rows
    return int(number)


def _until(client: Client, sql: str, count: int, otherwise: str) -> float:
    """Seconds until a query counts so many."""
    begin_s = time.monotonic()
    while _number(client, sql) < count:
        if time.monotonic() - begin_s > _PATIENCE_S:
            raise SystemExit(f"{otherwise} after {_PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - begin_s


@contextmanager
def _stack() -> Iterator[tuple[Bus, Client]]:
    """Bus, warehouse and flows on a fresh home; a connection to each of the first two."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        warehouse = Warehouse(home)
        with running("nats", home) as server:
            warehouse.start()
            apply(warehouse.client, NAMES)
            bus = select.connect(server.settings, "bench")
            flows = [_start(flow, home, server.settings, warehouse) for flow in _FLOWS]
            try:
                yield bus, warehouse.client
            finally:
                for flow in flows:
                    flow.terminate()
                for flow in flows:
                    flow.wait()
                bus.close()
                warehouse.stop()


def _start(
    flow: str, home: Path, bus: BusSettings, warehouse: Warehouse
) -> "subprocess.Popen[bytes]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    settings = {
        "TICKHOUSE_HOME": str(home),
        **environment_of("bus", **msgspec.structs.asdict(bus)),
        "TICKHOUSE_CLICKHOUSE__URL": warehouse.url,
    }
    line = [sys.executable, "-m", "streams", flow]
    return subprocess.Popen(line, env=kept | settings, stderr=subprocess.DEVNULL)


def _show(
    console: Console, lags: list[Lag], used: dict[str, float], memory_mib: dict[str, float]
) -> None:
    table = Table("lag of what is stored, s", "first third", "second", "last", "most")
    for name, values in (
        ("ticks", [lag.ticks_s for lag in lags]),
        ("feature rows", [lag.rows_s for lag in lags]),
    ):
        third = max(len(values) // 3, 1)
        parts = [values[:third], values[third:-third] or values, values[-third:]]
        medians = [statistics.median(part) for part in parts]
        table.add_row(name, *(f"{value:.2f}" for value in (*medians, max(values))))
        note(Figure(
            f"live load, lag of stored {name}, end less beginning", medians[2] - medians[0], "s",
            "python -m benchmarks.bench_live_load", GOAL_S,
        ))  # fmt: skip
    console.print(table)
    table = Table("process", "CPU s", "MiB")
    for name, seconds in used.items():
        table.add_row(name, f"{seconds:.1f}", f"{memory_mib.get(name, 0.0):,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
