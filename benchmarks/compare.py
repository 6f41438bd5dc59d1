"""Whether this version is faster than another: `make bench-compare BASE=<commit>`.

    python -m benchmarks.compare BASE [--pairs N] [--loaded] [PATH ...]

Both run the same commands alternately, each on a fresh home: `tickhouse import` and `tickhouse
replay` of recorded files (PATHs; else 400,000 gold ticks, or a generated market). What is compared
are CPU seconds of a command with all its processes. The interval is Student's, 95 %, of the mean
logarithm of the pairs' ratios; a version is better or worse when it leaves out 1. One run each
before the pairs compiles kernels and is not counted.

BASE runs in a work tree of its own with this environment's packages.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from benchmarks.machine import Stopwatch, describe, refuse_load
from benchmarks.market import recorded_files, write_generated
from tests.e2e.replay_runs import cut, environment

TICKS = 400_000
_HERE = Path(__file__).parents[1]
_COMMANDS = {"import": ["import"], "replay": ["replay", "--speed", "max", "--json"]}


class Verdict(NamedTuple):
    """Ratio of this version to the base, with its interval."""

    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        said = "better" if self.high < 1 else "worse" if self.low > 1 else "the same"
        return f"{said}: {self.ratio:.3f} times ({self.low:.3f} to {self.high:.3f})"


def verdict(base: Sequence[float], ours: Sequence[float]) -> Verdict:
    """Of at least two pairs of positive figures, the less the better."""
    logs = np.log(np.asarray(ours, float) / np.asarray(base, float))
    mean = float(logs.mean())
    reach = float(stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs)))
    return Verdict(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="a commit")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--pairs", type=_pairs, default=6)
    parser.add_argument("--loaded", action="store_true", help="although others use the machine")
    options = parser.parse_args()
    if not options.loaded:
        refuse_load("LOADED=1")
    console = Console()
    console.print(describe())
    with tempfile.TemporaryDirectory() as scratch, _tree(options.base, Path(scratch)) as base:
        paths = [path.resolve() for path in options.paths] or [_file(Path(scratch))]
        table = Table("command", f"{options.base}, CPU s", "this, CPU s", "verdict")
        for name, command in _COMMANDS.items():
            arguments = [*command, *map(str, paths)]
            runs = [
                [_cpu_s(tree, arguments) for tree in (base, _HERE)]
                for _ in range(options.pairs + 1)
            ]
            before, after = zip(*runs[1:], strict=True)
            medians = (f"{float(np.median(taken)):.2f}" for taken in (before, after))
            table.add_row(name, *medians, str(verdict(before, after)))
    console.print(table, describe())


def _pairs(text: str) -> int:
    if (pairs := int(text)) < 2:
        raise argparse.ArgumentTypeError("at least 2: one pair has no spread")
    return pairs


@contextmanager
def _tree(commit: str, scratch: Path) -> Iterator[Path]:
    path = scratch / "base"
    _git("worktree", "add", "--quiet", "--detach", str(path), commit)
    try:
        yield path
    finally:
        _git("worktree", "remove", "--force", str(path))


def _git(*arguments: str) -> None:
    done = subprocess.run(
        ["git", *arguments], cwd=_HERE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def _file(scratch: Path) -> Path:
    recorded = recorded_files()
    source = recorded[-1] if recorded else write_generated(scratch)[0]
    return cut(source, scratch / "in", 0, TICKS)


def _cpu_s(tree: Path, arguments: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as home:
        watch = Stopwatch()
        done = subprocess.run(  # from the tree: its packages come before those installed
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=tree, env=environment(Path(home)), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{tree}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
        return watch.took().cpu_s


if __name__ == "__main__":
    main()
