"""Features to decision for one tick, and batches beside what ONNX Runtime itself takes.

    python -m benchmarks.bench_ensemble [PATH] [--members xgboost,lightgbm,linear,sequence]

One tick: kernel, peers, prediction, edge and wish, as the stream calls them, without bus and
storage; in wall time and in CPU time of the thread, because other processes only ever add to the
first. Goals: p99 under 100 us for trees, under 1 ms for all members. Batches: rows per second
of `Predictor` over those of its sessions called directly on the same rows, one thread; goal 0.9.
`--train N`: seconds to train the trees on N rows; goal for 1,000,000: 2 minutes on 2 cores.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from benchmarks.market import some_ticks
from core.contracts.tick import TickArray
from core.sections import ModelSettings, SignalSettings
from features.kernel import features_of
from features.peers import Market
from features.state import new_state
from models.members.select import KINDS
from models.serving.artifact import Artifact
from models.serving.predictor import Predictor
from models.serving.session import Session
from models.training.dataset import Dataset
from models.training.train import fit
from strategies.edge import Costs, edge_bp, target_share
from strategies.protocol import ModelStrategy

TREES = ("xgboost", "lightgbm")


def _dataset(ticks: TickArray, sample_ms: int = 1000) -> Dataset:
    rows, index = features_of(new_state(), ticks, sample_ms)
    at = ticks[index]
    mid, spread = (at["bid"] + at["ask"]) / 2, at["ask"] - at["bid"]
    feed = np.zeros(len(at), np.int32)
    return Dataset(rows, at["time_msc"] * 1000, mid, spread, feed, ("benchmark",))


def _one_tick(model: Artifact, ticks: TickArray, calls: int) -> npt.NDArray[np.float64]:
    """Microseconds from a tick in memory to a wish, a row at every tick: wall and CPU [2, n]."""
    predictor, strategy, market = Predictor(model), ModelStrategy(SignalSettings()), Market()
    state, costs = new_state(), Costs(0.1)
    gains, horizon_s = predictor.manifest.gains, predictor.manifest.horizon_s
    past = features_of(state, ticks[:2_000], 0)[0][-63:]
    taken = np.empty((2, calls))
    for n in range(calls):
        tick = ticks[2_000 + n : 2_001 + n]
        start, began = time.perf_counter_ns(), time.thread_time_ns()
        rows, index = features_of(state, tick, 0)
        market.advance("A", tick)
        market.fill("A", tick["time_msc"][index], rows)
        predictions = predictor.predict(rows, past)
        edge = edge_bp(rows, predictions.probabilities, gains, horizon_s)
        target_share(rows, edge, costs)
        strategy.targets(rows, predictions.probabilities)
        taken[:, n] = time.perf_counter_ns() - start, time.thread_time_ns() - began
        past = np.concatenate([past[1:], rows])
    return taken / 1e3


def _rate(run: Callable[[], object], rows: int, rounds: int = 5) -> float:
    best = min(_seconds(run) for _ in range(rounds))
    return rows / best


def _seconds(run: Callable[[], object]) -> float:
    """CPU seconds of this process, so of all its threads."""
    start = time.process_time()
    run()
    return time.process_time() - start


def _batches(model: Artifact, rows: npt.NDArray[np.float32]) -> float:
    """Rows per second of the ensemble of trees over those of its sessions alone."""
    predictor = Predictor(model)
    sessions = [Session(onnx) for onnx in model.members.values()]
    out = np.empty((len(rows), 3), np.float32)

    def alone() -> None:
        for session in sessions:
            session.predict(rows, out)

    ours = _rate(lambda: predictor.predict(rows), len(rows))
    return ours / _rate(alone, len(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="a normalised parquet of ticks")
    parser.add_argument("--members", default=",".join(KINDS))
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--train", type=int, default=0, metavar="N", help="train trees on N rows")
    arguments = parser.parse_args()
    console = Console()
    console.print(describe())
    ticks = some_ticks(arguments.path, 400_000)
    data = _dataset(ticks)
    table = Table("one tick to a wish", "p50 us", "p99 us", "CPU p50", "CPU p99", "goal p99")
    trees = fit(data, "benchmark", ModelSettings(members=TREES), simulated=False)
    everyone = tuple(arguments.members.split(","))
    for name, members, goal in (("trees", TREES, "100"), ("all members", everyone, "1000")):
        same = members == TREES
        settings = ModelSettings(members=members)
        model = trees if same else fit(data, "benchmark", settings, simulated=False)
        taken = np.percentile(_one_tick(model, ticks, arguments.calls), [50, 99], axis=1)
        figures = [f"{value:.1f}" for value in taken.T.ravel().tolist()]
        table.add_row(f"{name}: {', '.join(members)}", *figures, goal)
    console.print(table)
    share = _batches(trees, data.rows[:50_000])
    console.print(f"batches, trees: {share:.2f} of ONNX Runtime's own rows per second; goal 0.90")
    if arguments.train:
        rows = np.resize(np.arange(len(data.rows)), arguments.train)
        large = data._replace(
            rows=data.rows[rows], time_us=np.arange(len(rows)) * 1_000_000, mid=data.mid[rows],
            spread=data.spread[rows], feed=np.zeros(len(rows), np.int32),
        )  # fmt: skip
        settings = ModelSettings(members=TREES, max_rows=arguments.train)
        began = time.perf_counter()
        cpu = _seconds(lambda: fit(large, "benchmark", settings, simulated=False))
        wall = time.perf_counter() - began
        text = f"trees on {arguments.train:,} rows: {wall:.0f} s, {cpu:.0f} CPU seconds"
        console.print(f"{text}, gate and figures too; goal 120 s on 2 idle cores")


if __name__ == "__main__":
    main()
