"""Nanoseconds per tick of the feature kernel, beside a plain compiled pass over the same ticks.

    python -m benchmarks.bench_kernel [PATH]

Best of several rounds, because other processes only ever add time. `every tick` writes a row per
tick, the others the first tick of each second. Goal: one block at most 1.5 times 72 ns.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from benchmarks.market import some_ticks
from core.contracts.tick import TickArray
from features.catalog import NAMES
from features.kernel import update
from features.state import new_state

GOAL_NS = 1.5 * 72


@njit  # type: ignore[untyped-decorator]
def _floor(ticks: Any) -> float:
    """Reading every tick's time, bid and ask once: what any kernel pays at least."""
    total = 0.0
    for tick in ticks:
        if tick.ask > tick.bid and tick.time_msc > 0:
            total += (tick.ask - tick.bid) / (tick.ask + tick.bid)
    return total


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
    parser.add_argument("path", nargs="?", type=Path, help="a normalised parquet of ticks")
    parser.add_argument("--ticks", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    ticks = some_ticks(arguments.path, arguments.ticks)
    console = Console()
    console.print(describe())
    table = Table("ns per tick", "every tick", "each second", title=f"{len(ticks):,} ticks")
    floor = _best_ns(lambda: _floor(ticks), len(ticks), arguments.rounds)
    table.add_row("floor: a plain pass", f"{floor:.1f}", f"{floor:.1f}")
    every = math.inf
    for name, size in (("one block", len(ticks)), ("chunks of 64", 64), ("tick by tick", 1)):
        taken = [
            _best_ns(_in_chunks(ticks, size, ms), len(ticks), arguments.rounds) for ms in (0, 1000)
        ]
        every = min(every, taken[0])
        table.add_row(name, *(f"{ns:.1f}" for ns in taken))
    console.print(table)
    reached = "reached" if every <= GOAL_NS else "NOT reached"
    console.print(f"one block, every tick: {every:.1f} ns; goal {GOAL_NS:.0f} ns: {reached}")


if __name__ == "__main__":
    main()
