"""Nanoseconds of CPU per tick of the feature kernel, beside the same features in C.

    python -m benchmarks.bench_kernel [PATH]

Best of several rounds, taken in turn, because other processes only ever add time. `every tick`
writes a row per tick, `each second` the first tick of each second. The floor is a straight loop of
the same features in C (kernel_floor.c), whose state and rows are compared bit for bit; a plain
pass over the ticks stands beside it. Goal: one block at most 1.3 times the floor.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, note
from benchmarks.kernel_floor import NoFloorError, Update, built
from benchmarks.machine import describe
from benchmarks.market import some_ticks
from core.contracts.tick import TickArray
from features.catalog import NAMES
from features.kernel import update
from features.state import new_state

GOAL = 1.3


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
        start = time.process_time_ns()
        run()
        taken.append(time.process_time_ns() - start)
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


class Block:
    """All ticks at once through one of the two, for every round on fresh state."""

    def __init__(self, run: Update, ticks: TickArray, sample_ms: int) -> None:
        self._run, self._ticks, self._sample_ms = run, ticks, sample_ms
        self._out = np.zeros((len(ticks), len(NAMES)), np.float32)
        self._index = np.zeros(len(ticks), np.int64)

    def __call__(self) -> None:
        """One round."""
        self.state = new_state()
        self.rows = self._run(self.state, self._ticks, self._sample_ms, self._out, self._index)

    def bits(self) -> tuple[bytes, ...]:
        """Everything that the last round left."""
        rows: tuple[npt.NDArray[Any], ...] = self._out[: self.rows], self._index[: self.rows]
        return self.state.tobytes(), *(part.tobytes() for part in rows)


def beside_the_floor(floor: Update, ticks: TickArray, sample_ms: int, rounds: int) -> list[float]:
    """Nanoseconds per tick of kernel and floor, round by round in turn.

    Raises:
        SystemExit: they do not give the same bits.
    """
    pair = Block(update, ticks, sample_ms), Block(floor, ticks, sample_ms)
    taken = [[_best_ns(block, len(ticks), 1) for block in pair] for _ in range(rounds)]
    if pair[0].bits() != pair[1].bits():
        raise SystemExit("NOT the same bits: kernel_floor.c is not what features/ says")
    return [min(column) for column in zip(*taken, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="a normalised parquet of ticks")
    parser.add_argument("--ticks", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    ticks = np.ascontiguousarray(some_ticks(arguments.path, arguments.ticks))
    console = Console()
    console.print(describe())
    table = Table("CPU ns per tick", "every tick", "each second", title=f"{len(ticks):,} ticks")
    plain = _best_ns(lambda: _floor(ticks), len(ticks), arguments.rounds)
    table.add_row("a plain pass", f"{plain:.1f}", f"{plain:.1f}")
    for name, size in (("one block", len(ticks)), ("chunks of 64", 64), ("tick by tick", 1)):
        rounds = arguments.rounds if size > 1 else 3
        taken = [_best_ns(_in_chunks(ticks, size, ms), len(ticks), rounds) for ms in (0, 1000)]
        table.add_row(name, *(f"{ns:.1f}" for ns in taken))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            floor = built(Path(scratch))
            both = [beside_the_floor(floor, ticks, ms, arguments.rounds) for ms in (0, 1000)]
    except NoFloorError as error:
        console.print(table, f"SKIPPED the floor: {error}")
        return
    for place, name in enumerate(("beside the floor: the kernel", "the floor, in C")):
        table.add_row(name, *(f"{pair[place]:.1f}" for pair in both))
    console.print(table)
    for (ours, least), rows in zip(both, ("a row per tick", "a row per second"), strict=True):
        figure = Figure(
            f"feature kernel, {rows}; floor: the same bits by a loop in C", ours,
            "CPU ns per tick", "python -m benchmarks.bench_kernel", GOAL, "ratio", floor=least,
        )  # fmt: skip
        note(figure)
        reached = "reached" if figure.reached else "NOT reached"
        console.print(f"{rows}: {figure.ratio:.2f} times the floor; goal {GOAL:g}: {reached}")


if __name__ == "__main__":
    main()
