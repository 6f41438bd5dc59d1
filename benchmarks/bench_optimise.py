"""Trials of `tickhouse optimise` beside single backtests of the same parameters.

    python -m benchmarks.bench_optimise [PATH] [--trials 100]

CPU seconds of this process, so that other processes do not count. A search is everything from the
file to the last trial: the shared features once, Optuna, every trial. Single backtests are the
product's own job in this process, of every tenth of the same trials; no start of a process and no
page is counted. Goal: 100 runs at least 50 times faster than 100 single backtests.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from adapters.simulator.markets.tickfile import ParquetTicks
from backtest.job import FeedFile, Job
from backtest.optimise.periods import periods_of
from backtest.optimise.search import Search
from backtest.optimise.shared import SharedMarket
from backtest.optimise.trial import Evaluator
from backtest.run import run
from benchmarks.machine import describe
from benchmarks.market import recorded_files, write_generated
from core.sections import RunSettings
from core.settings import Settings
from execution.risk.limits import of_settings
from strategies import select
from strategies.parameters import written

STRATEGIES = ("trend", "breakout", "mean_reversion", "session_breakout", "volatility_target")
GOAL = 50.0


class Measured(NamedTuple):
    """CPU seconds of a search, and of as many single backtests."""

    strategy: str
    trials: int
    search_s: float
    singles_s: float

    @property
    def ratio(self) -> float:
        """How many times faster."""
        return self.singles_s / self.search_s


def measure(strategy: str, path: Path, trials: int, home: str) -> Measured:
    """One strategy on one file."""
    settings = Settings(home, run=RunSettings("bench", "backtest", "bench", strategy))
    file = ParquetTicks(path)
    feed = FeedFile(str(path), file.source, file.symbol)
    job = Job(file.symbol, settings, (feed,), ((file.source, file.symbol),))
    began = time.process_time()
    market = SharedMarket(job)
    periods = periods_of([market])
    search = Search(
        Evaluator([market], job, of_settings(settings.execution)),
        select.declared(strategy), periods, settings.terminal.balance, lambda _: None,
    )  # fmt: skip
    search.best(periods.whole, trials, 0)
    searched = time.process_time() - began
    some = search.trials[::10]
    began = time.process_time()
    for trial in some:
        signals = replace(settings.signals, parameters=written(trial.values))
        run(replace(job, settings=replace(settings, signals=signals)))
    single = (time.process_time() - began) / len(some)
    return Measured(strategy, len(search.trials), searched, single * len(search.trials))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--trials", type=int, default=100)
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as scratch:
        path = options.path or (recorded_files() or write_generated(Path(scratch)))[0]
        measure("breakout", path, 10, scratch)  # compile, and read what is read once
        table = Table("strategy", "trials", "search, CPU s", "singles, CPU s", "times faster",
                      title=f"{path.name}, {describe()}")  # fmt: skip
        for strategy in STRATEGIES:
            m = measure(strategy, path, options.trials, scratch)
            table.add_row(m.strategy, f"{m.trials}", f"{m.search_s:.2f}", f"{m.singles_s:.1f}",
                          f"{m.ratio:.0f}")  # fmt: skip
    console.print(table)
    console.print(f"goal: {GOAL:.0f}")


if __name__ == "__main__":
    main()
