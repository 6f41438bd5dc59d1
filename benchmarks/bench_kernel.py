"""Nanoseconds per tick of the feature kernel, beside a plain compiled pass over the same ticks.

    python benchmarks/bench_kernel.py ../shared/data/ticks/EURUSD_oanda.parquet

Best of several rounds, because other processes only ever add time. `every tick` writes a row per
tick, the others the first tick of each second.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numba import njit
from rich.console import Console
from rich.table import Table

from core.contracts.tick import TICK, TickArray
from features.catalog import NAMES
from features.kernel import update
from features.state import new_state


@njit  # type: ignore[untyped-decorator]
def _floor(ticks: Any) -> float:
    """Reading every tick's time, bid and ask once: what any kernel pays at least."""
    total = 0.0
    for tick in ticks:
        if tick.ask > tick.bid and tick.time_msc > 0:
            total += (tick.ask - tick.bid) / (tick.ask + tick.bid)
    return total


def _ticks(path: str, limit: int) -> TickArray:
    table = pq.read_table(path, columns=["time_msc", "bid", "ask"]).slice(0, limit)
    ticks = np.zeros(table.num_rows, TICK)
    for column in ("time_msc", "bid", "ask"):
        ticks[column] = table[column].to_numpy()
    return ticks


def _best_ns(run: Callable[[], None], ticks: int, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        run()
        taken.append(time.perf_counter_ns() - start)
    return min(taken) / ticks


def _in_chunks(ticks: TickArray, size: int, sample_ms: int) -> Callable[[], None]:
    chunks = [ticks[n : n + size] for n in range(0, len(ticks), size)]
    out = np.zeros((min(size, len(ticks)), len(NAMES)), np.float32)
    index = np.zeros(len(out), np.int64)

    def run() -> None:
        state = new_state()
        for chunk in chunks:
            update(state, chunk, sample_ms, out, index)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="a normalised parquet of ticks")
    parser.add_argument("--ticks", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    ticks = _ticks(arguments.path, arguments.ticks)
    table = Table("ns per tick", "every tick", "each second", title=f"{len(ticks):,} ticks")
    floor = _best_ns(lambda: _floor(ticks), len(ticks), arguments.rounds)
    table.add_row("floor: a plain pass", f"{floor:.1f}", f"{floor:.1f}")
    for name, size in (("one block", len(ticks)), ("chunks of 64", 64), ("tick by tick", 1)):
        cells = [
            f"{_best_ns(_in_chunks(ticks, size, ms), len(ticks), arguments.rounds):.1f}"
            for ms in (0, 1000)
        ]
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
