"""Rows per second into the embedded warehouse over HTTP: ticks alone, ticks with bars, features.

Run from the repository's root: `python -m benchmarks.bench_insert`. Starts a warehouse of its own
in a temporary directory. Encoding the blocks is part of what is timed.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.tick import TickArray
from tests.support.reference_ticks import reference_ticks
from tests.support.warehouse_server import FEATURES, Warehouse

VIEWS = ("bar_1m_from_ticks", "bar_5m_from_1m", "bar_1h_from_1m")


def main() -> None:
    ticks = reference_ticks("XAUUSD_oanda")
    with tempfile.TemporaryDirectory() as directory:
        server = Warehouse(Path(directory))
        started = time.perf_counter()
        server.start()
        print(f"start to ready: {time.perf_counter() - started:.2f} s")
        try:
            _measure(server, ticks)
        finally:
            server.stop()


def _measure(server: Warehouse, ticks: TickArray) -> None:
    started = time.perf_counter()
    server.migrate()
    print(f"migrations: {time.perf_counter() - started:.2f} s")
    connection = server.client
    for size in (10_000, 50_000, 200_000):
        _ticks(server, ticks, size, "with bars")
    for view in VIEWS:
        connection.command(f"DETACH TABLE {view}")
    for size in (10_000, 50_000, 200_000):
        _ticks(server, ticks, size, "alone")
    rate = _rate(server, "feature", feature_blocks(10, 50_000), 500_000)
    print(f"feature rows of {len(FEATURES)} Float32, blocks of 50,000: {rate:.2f} M rows/s")
    latency = _latency(lambda: connection.query("SELECT 1"), 200)
    print(f"select 1 through clickhouse-connect: {latency:.2f} ms")
    one = tick_columns("one", "XAUUSD", ticks[:1])
    with Writer(server.settings) as writer:
        latency = _latency(lambda: writer.insert("tick", one, _unique()), 50)
    print(f"insert of one tick: {latency:.2f} ms")


def _ticks(server: Warehouse, ticks: TickArray, size: int, label: str) -> None:
    server.client.command("TRUNCATE TABLE tick")
    cuts = range(0, len(ticks), size)
    blocks = [tick_columns("oanda", "XAUUSD", ticks[i : i + size]) for i in cuts]
    rate = _rate(server, "tick", blocks, len(ticks))
    print(f"ticks {label}, blocks of {size:,}: {rate:.2f} M rows/s")


def _rate(server: Warehouse, table: str, blocks: Sequence[Sequence[Column]], rows: int) -> float:
    with Writer(server.settings) as writer:
        started = time.perf_counter()
        for block in blocks:
            writer.insert(table, block, _unique())
        return rows / (time.perf_counter() - started) / 1e6


def feature_blocks(count: int, rows: int) -> list[list[Column]]:
    """Blocks of random feature vectors, one per second of market time."""
    rng = np.random.default_rng(1)
    blocks = []
    for number in range(count):
        time_us = (np.arange(rows, dtype="<i8") + number * rows) * 1_000_000
        columns = [
            *(Column(n, TEXT, n) for n in ("run_id", "mode", "account", "strategy")),
            *(Column(n, TEXT, n) for n in ("source", "symbol", "feature_set_hash")),
            Column("ts_event", TIME, time_us),
            Column("ts_init", TIME, time_us),
            Column("seq", "UInt32", 0),
            *(Column(n, "Float64", rng.random(rows)) for n in ("mid", "spread")),
            *(Column(n, "Float32", rng.random(rows, dtype=np.float32)) for n in FEATURES),
        ]
        blocks.append(columns)
    return blocks


def _latency(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return float(np.median(times))


def _unique() -> str:
    # Here every block must be written, so its token is not of its content.
    return str(time.perf_counter_ns())


if __name__ == "__main__":
    main()
