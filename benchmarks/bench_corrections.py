"""What versions of ticks cost: an insert with and without them, and one tick corrected among many.

Run from the repository's root: `python -m benchmarks.bench_corrections [--millions 100]`. Starts a
warehouse of its own in a temporary directory, on generated ticks. Inserts are measured in turns,
the same blocks with and without comparing, in CPU seconds of both sides; restating is timed by the
clock, from the corrected tick to bars and rows of what follows.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from adapters.clickhouse import stored_ticks
from adapters.clickhouse.correction_rows import Correction, Said
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.tick_store import ClickhouseTickStore, FileOfTicks
from adapters.clickhouse.writer import Writer
from benchmarks.machine import Stopwatch, describe
from core import tick_versions
from core.clock import SystemClock
from core.contracts.tick import TICK, TickArray
from tests.support.warehouse_server import Warehouse

_START_MSC, _STEP_MSC = 1_600_000_000_000, 40
_STREAM, _IMPORT = 131_072, 262_144  # ticks of a block, as streams and imports cut them
_FILE_BLOCKS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=100, help="stored ticks (default 100)")
    parser.add_argument("--pairs", type=int, default=20, help="turns of inserts")
    parser.add_argument("--home", type=Path, help="where to store; default: a temporary folder")
    namespace = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory(dir=namespace.home) as directory:
        server = Warehouse(Path(directory))
        server.start()
        try:
            server.migrate()
            with Writer(server.settings) as writer:
                _inserts(server, writer, namespace.pairs)
                _imports(server, writer, max(namespace.pairs // _FILE_BLOCKS * 2, 2))
                _restating(server, writer, int(namespace.millions * 1e6))
        finally:
            server.stop()


def block(number: int, size: int) -> TickArray:
    """Ticks of one block of a feed, in order after those before it."""
    rng = np.random.default_rng(number)
    ticks = np.zeros(size, TICK)
    ticks["time_msc"] = _START_MSC + (number * size + np.arange(size)) * _STEP_MSC
    ticks["bid"] = np.round(1.1 + np.cumsum(rng.integers(-1, 2, size)) * 1e-5, 5)
    ticks["ask"] = ticks["bid"] + 0.0001
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


def _corrections(server: Warehouse, writer: Writer) -> Corrections:
    return Corrections(writer, server.home, SystemClock(), "bench", restates=True)


def _inserts(server: Warehouse, writer: Writer, pairs: int) -> None:
    policy = FeedPolicy("bench", "live", "bench", lambda source: False)
    blocks = TickBlocks(writer, _corrections(server, writer), policy)
    took: dict[str, list[float]] = {"plain": [], "compared": []}
    for number in range(pairs):
        ticks = block(number, _STREAM)
        for kind in ("plain", "compared") if number % 2 else ("compared", "plain"):
            columns = tick_columns(kind, "EURUSD", ticks)
            watch = _watch(server)
            if kind == "plain":
                writer.insert("tick", columns)
            else:
                blocks.insert(columns, None)
            took[kind].append(watch.took().cpu_s)
    _tell_pair(f"stream's blocks of {_STREAM:,} ticks", took)


def _imports(server: Warehouse, writer: Writer, pairs: int) -> None:
    store = ClickhouseTickStore(writer, _corrections(server, writer), "bench")
    took: dict[str, list[float]] = {"plain": [], "compared": []}
    for number in range(pairs):
        parts = [block(number * _FILE_BLOCKS + n, _IMPORT) for n in range(_FILE_BLOCKS)]
        for kind in ("plain", "compared") if number % 2 else ("compared", "plain"):
            watch = _watch(server)
            if kind == "plain":
                for part in parts:
                    writer.insert("tick", tick_columns("plain file", "EURUSD", part))
            else:
                first, last = int(parts[0]["time_msc"][0]), int(parts[-1]["time_msc"][-1])
                span = Span("file", "EURUSD", first, last)
                store.begin(FileOfTicks(span, f"{number}.csv", f"{number:032x}"))
                for part in parts:
                    store.ticks(part)
                store.end()
            took[kind].append(watch.took().cpu_s)
    _tell_pair(f"imported files of {_FILE_BLOCKS * _IMPORT:,} ticks", took)


def _watch(server: Warehouse) -> Stopwatch:
    """Of both sides."""
    assert server.process is not None
    return Stopwatch(server.process.pid)


def _tell_pair(what: str, took: dict[str, list[float]]) -> None:
    plain, compared = (statistics.median(took[kind]) for kind in ("plain", "compared"))
    more = sum(took["compared"]) / sum(took["plain"]) - 1
    print(
        f"{what}, CPU: {plain * 1e3:.0f} ms as they come, {compared * 1e3:.0f} ms compared; "
        f"{len(took['plain'])} pairs together {more:+.1%}"
    )


def _restating(server: Warehouse, writer: Writer, rows: int) -> None:
    size = 1_000_000
    for number in range(-(-rows // size)):
        writer.insert("tick", tick_columns("many", "EURUSD", block(number, size)))
    middle = _START_MSC + rows // 2 * _STEP_MSC
    corrections = _corrections(server, writer)
    for kind in ("corrected", "withdrawn"):
        watch, times = _watch(server), []
        for n in range(5):
            near_msc = middle + n * (rows // 20) * _STEP_MSC
            times.append(_one(writer, corrections, near_msc, kind))
        cpu_s = watch.took().cpu_s / len(times)
        print(
            f"one tick {kind} among {rows:,}: {statistics.median(times):.2f} s "
            f"(of five: {min(times):.2f} to {max(times):.2f}); CPU {cpu_s:.2f} s, merges with it"
        )


def _one(writer: Writer, corrections: Corrections, near_msc: int, kind: str) -> float:
    span = Span("many", "EURUSD", near_msc, near_msc + _STEP_MSC - 1)
    started = time.perf_counter()
    before = stored_ticks.all_of(writer, span).ticks[:1]
    known_us = corrections.known_us("many", "EURUSD")
    after = tick_versions.withdrawn(before, known_us)
    if kind == "corrected":
        after["withdrawn"], after["bid"] = 0, after["bid"] + 100_000
    said = Said(f"bench {near_msc}", "bench")
    firsts = tick_versions.firsts(before)
    corrections.commit(Correction("many", "EURUSD", said, firsts, after))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
