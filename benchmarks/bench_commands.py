"""What a person waits for at the prompt, in CPU seconds: help, status, train, explain.

    python -m benchmarks.bench_commands [--repeats N]

On a home with a replay of 100,000 ticks that the scripted strategy traded. CPU seconds are those
of the command with all that it starts, the warehouse for the occasion among them.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, note
from benchmarks.machine import Stopwatch, Took, describe
from benchmarks.market import recorded_files, write_generated
from tests.e2e.replay_runs import cut, environment, replay

TICKS = 100_000
_FILL = "SELECT order_id FROM order_event WHERE kind = 'filled' ORDER BY ts_event LIMIT 1"
#: CPU seconds. `train` and `explain`: a tenth of what a slow machine took in November 2026.
GOALS = {"--help": 0.2, "status": 0.5, "train": 9.1, "explain": 1.7}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    console = Console()
    console.print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        file = cut((recorded_files() or write_generated(Path(scratch)))[0], home / "in", 0, TICKS)
        result = replay(home, [str(file), "--speed", "max", "--strategy", "scripted"])
        fill = _run(home, "sql", f"{_FILL} FORMAT TSV")[1].strip()
        commands = {
            "--help": ["--help"],
            "status": ["status"],
            "train": ["train", "--run", result["run_id"]],
            "explain": ["explain", fill],
        }
        table = Table("command", "CPU s", "s", "goal, CPU s", title=f"{result['features']:,} rows")
        for name, arguments in commands.items():
            taken = [_run(home, *arguments)[0] for _ in range(options.repeats)]
            cpu_s = statistics.median(took.cpu_s for took in taken)
            wall_s = statistics.median(took.wall_s for took in taken)
            table.add_row(name, f"{cpu_s:.2f}", f"{wall_s:.2f}", f"{GOALS[name]:g}")
            note(Figure(
                f"tickhouse {name}", cpu_s, "CPU s", "python -m benchmarks.bench_commands",
                GOALS[name],
            ))  # fmt: skip
    console.print(table)


def _run(home: Path, *arguments: str) -> tuple[Took, str]:
    watch = Stopwatch()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 3):  # 3: `status` of a home where nothing runs
        raise SystemExit(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return watch.took(), done.stdout


if __name__ == "__main__":
    main()
