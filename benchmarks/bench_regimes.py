"""Regimes by change points beside a hidden Markov model: which names a market more steadily.

    python -m benchmarks.bench_regimes

On minute bars of the recordings (`bars/*_m1_*.parquet` of the test data), two halves of each: how
often the name changes in a day, and in what share of the quarters the same quarter has the same
name by what was learnt from one half and from the other. The hidden Markov model (three normal
states of a quarter's level, fitted by Baum and Welch) stands here for comparison alone.
"""

import argparse
import itertools
import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from risk.minutes import MINUTE_US, Floats
from risk.regimes import NAMES, QUARTER_US, Regimes, Runs

_DATA = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data"))
_STATES, _ROUNDS = 3, 60


class Markov(NamedTuple):
    """Normal states of a level: `mean` and `spread` (k,), `moves` (k, k) row to column."""

    mean: Floats
    spread: Floats
    moves: Floats


def minutes(path: Path) -> list[tuple[int, float]]:
    """Ends of minutes, us, with their last mids."""
    bars = pq.read_table(path, columns=["time_msc", "close", "ask_close"]).to_pydict()
    mids = (np.array(bars["close"]) + np.array(bars["ask_close"])) / 2
    return [(t * 1000 + MINUTE_US, m) for t, m in zip(bars["time_msc"], mids.tolist(), strict=True)]


def levels(bars: list[tuple[int, float]]) -> Floats:
    """Logarithm of the root mean square move of a minute, of each quarter that moved."""
    times, mids = np.array([t for t, _ in bars]), np.log([m for _, m in bars])
    joined = np.diff(times) == MINUTE_US
    quarters, squares = (times[1:][joined] - 1) // QUARTER_US, np.diff(mids)[joined] ** 2
    _, place = np.unique(quarters, return_inverse=True)
    count, total = np.bincount(place), np.bincount(place, squares)
    good = (count >= 8) & (total > 0)
    return 0.5 * np.log(total[good] / count[good])


def by_runs(values: Floats, learnt: Floats) -> Floats:
    """Names (0 to 2) by change points, thirds and priors of what was learnt."""
    runs, names = Runs(), np.empty(len(values))
    edges = np.quantile(learnt, (1 / 3, 2 / 3))
    for n, level in enumerate(values.tolist()):
        runs.take(level, float(learnt.mean()), float(learnt.var()))
        names[n] = np.searchsorted(edges, runs.level)
    return names


def by_states(values: Floats, learnt: Floats) -> Floats:
    """Names (0 to 2) by the likeliest state so far of a model fitted on what was learnt."""
    model = _fit(learnt)
    forward, _ = _forward(model, _density(model, values))
    names: Floats = forward.argmax(axis=1).astype(np.float64)
    return names


def _fit(values: Floats) -> Markov:
    shares = (np.arange(_STATES) + 0.5) / _STATES
    stay = np.eye(_STATES) * 0.93 + np.full((_STATES, _STATES), 0.07 / _STATES)
    model = Markov(np.quantile(values, shares), np.full(_STATES, values.std() / _STATES), stay)
    for _ in range(_ROUNDS):
        model = _climbed(model, values)
    order = np.argsort(model.mean)
    return Markov(model.mean[order], model.spread[order], model.moves[np.ix_(order, order)])


def _climbed(model: Markov, values: Floats) -> Markov:
    density = _density(model, values)
    forward, scale = _forward(model, density)
    behind, moves = np.ones(_STATES), np.eye(_STATES) * 20 + 1 / _STATES
    share = np.empty_like(forward)
    share[-1] = forward[-1]
    for n in range(len(values) - 2, -1, -1):
        step = model.moves * (density[n + 1] * behind) / scale[n + 1]
        moves += forward[n][:, None] * step
        behind = step.sum(axis=1)
        share[n] = forward[n] * behind
    total = share.sum(axis=0)
    mean = (share * values[:, None]).sum(axis=0) / total
    spread = np.sqrt((share * (values[:, None] - mean) ** 2).sum(axis=0) / total)
    return Markov(mean, np.maximum(spread, 0.05), moves / moves.sum(axis=1, keepdims=True))


def _density(model: Markov, values: Floats) -> Floats:
    away = (values[:, None] - model.mean) / model.spread
    density: Floats = np.exp(-0.5 * away**2) / (model.spread * math.sqrt(2 * math.pi)) + 1e-300
    return density


def _forward(model: Markov, density: Floats) -> tuple[Floats, Floats]:
    forward, scale = np.empty_like(density), np.empty(len(density))
    state = np.full(_STATES, 1 / _STATES)
    for n, each in enumerate(density):
        joint = (state @ model.moves) * each
        scale[n] = joint.sum()
        state = joint / scale[n]
        forward[n] = state
    return forward, scale


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with bars/*_m1_*.parquet")
    paths = sorted(parser.parse_args().data.glob("bars/*_m1_*.parquet"))
    console = Console()
    if not paths:
        console.print("no minute bars there: give --data the folder of the recordings")
        return
    table = Table("bars", "quarters", "by", "changes a day", "same name by both halves")
    for path in paths:
        bars = minutes(path)
        values = levels(bars)
        half = len(values) // 2
        for name, method in (("change points", by_runs), ("hidden Markov", by_states)):
            names = method(values, values)
            halves = [method(values, part) for part in (values[:half], values[half:])]
            changes = np.count_nonzero(np.diff(names)) / (len(values) / 96)
            same = float((halves[0] == halves[1]).mean())
            table.add_row(path.stem, str(len(values)), name, f"{changes:.1f}", f"{same:.2f}")
        table.add_row(path.stem, "", "as it ships", f"{_shipped(bars):.1f}", "")
    console.print(table)


def _shipped(bars: list[tuple[int, float]]) -> float:
    fold = Regimes()
    regimes = [r for ts, mid in bars if (r := fold.minute(ts, mid)) and r.name in NAMES]
    names = [r.name for r in regimes]
    return sum(a != b for a, b in itertools.pairwise(names)) / (len(names) / 96)


if __name__ == "__main__":
    main()
