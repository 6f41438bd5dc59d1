"""Microseconds per prediction: one row in place, and batches of several sizes.

    python -m benchmarks.bench_predictor [PATH]

Trains a model of the default settings on the file first, and says how long that took.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.market import some_ticks
from core.sections import ModelSettings
from features.kernel import features_of
from features.state import new_state
from models.serving.predictor import Predictor
from models.training.dataset import Dataset
from models.training.train import fit


def _dataset(path: Path | None) -> Dataset:
    ticks = some_ticks(path)
    rows, index = features_of(new_state(), ticks, 1000)
    at = ticks[index]
    mid, spread = (at["bid"] + at["ask"]) / 2, at["ask"] - at["bid"]
    feed = np.zeros(len(at), np.int32)
    return Dataset(rows, at["time_msc"] * 1000, mid, spread, feed, (str(path),))


def _percentiles(run: Callable[[], object], calls: int) -> tuple[float, float, float]:
    taken = np.empty(calls)
    for n in range(calls):
        start = time.perf_counter_ns()
        run()
        taken[n] = time.perf_counter_ns() - start
    p50, p99, p999 = np.percentile(taken / 1e3, [50, 99, 99.9]).tolist()
    return p50, p99, p999


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="a normalised parquet of ticks")
    path = parser.parse_args().path
    console, data = Console(), _dataset(path)
    start = time.perf_counter()
    model = fit(data, "benchmark", ModelSettings(), simulated=False)
    taken = time.perf_counter() - start
    console.print(f"fit, gate and evaluation on {len(data.rows):,} rows: {taken:.1f} s")
    predictor = Predictor(model)
    table = Table("rows", "p50 us", "p99 us", "p99.9 us", "rows/s at p50")
    for count, calls in ((1, 20_000), (8, 5_000), (64, 1_000), (1_000, 100), (10_000, 10)):
        rows = data.rows[5_000 : 5_000 + count]
        p50, p99, p999 = _percentiles(lambda r=rows: predictor.probabilities(r), calls)  # type: ignore[misc]
        rate = f"{count / p50 * 1e6:,.0f}"
        table.add_row(f"{count:,}", f"{p50:.1f}", f"{p99:.1f}", f"{p999:.1f}", rate)
    console.print(table)


if __name__ == "__main__":
    main()
