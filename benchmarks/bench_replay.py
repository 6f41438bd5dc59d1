"""End to end: `tickhouse replay` as a user runs it, and which process used the cores.

    python -m benchmarks.bench_replay [PATH ...] [--repeats N] [--every-tick] [--json]

Each repeat starts on a fresh home and trains on its first 30 %; CPU seconds are said with that
training and without. `--every-tick`: a row and, after the training, a prediction at every tick
instead of one a second of market. The files are PATHs, else the three oanda feeds of the test data
(TICKHOUSE_TEST_DATA, else ../shared/data); without them a generated market is written first.
CPU seconds are read from /proc (Linux) five times a second, so what a process used after its
last sample is missing: at most a fifth of a second each.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, note
from benchmarks.machine import describe
from benchmarks.market import recorded_files, write_generated

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SAMPLE_S = 0.2


class Run(NamedTuple):
    """One replay: what it printed; CPU seconds and MiB by process; bytes of its warehouse."""

    result: dict[str, Any]
    used: dict[str, float]
    memory_mib: dict[str, float]
    kept: int


class CpuSampler:
    """CPU seconds of a process and all its descendants, by what each runs; and their memory.

    Memory is the largest proportional share (PSS) of each, in MiB.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._stop = pid, threading.Event()
        self._used: dict[int, tuple[str, float]] = {}
        self.memory_mib: dict[str, float] = {}
        self._thread = threading.Thread(target=self._sample_until_stopped, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """Seconds by name, largest first."""
        self._stop.set()
        self._thread.join()
        total: dict[str, float] = {}
        for name, seconds in self._used.values():
            total[name] = total.get(name, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def _sample_until_stopped(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            for pid, seconds in _tree(self._pid):
                name = _name(pid)
                if name:
                    self._used[pid] = name, seconds
                    self.memory_mib[name] = max(self.memory_mib.get(name, 0.0), _memory_mib(pid))


def _tree(root: int) -> Iterator[tuple[int, float]]:
    """Process ids below `root`, itself included, with the CPU seconds each has used."""
    parents, seconds = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            pid = int(entry.name)
            parents[pid] = int(fields[1])
            seconds[pid] = (int(fields[11]) + int(fields[12])) * _TICK_S
    for pid in seconds:
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        if above == root:
            yield pid, seconds[pid]


def _memory_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    shares = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(shares[0]) / 1024 if shares else 0.0


def _name(pid: int) -> str:
    """`streams signals` for `python -m streams signals`; the executable for others."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    if "-m" in words:
        module, *rest = words[words.index("-m") + 1 :]
        argument = rest[0] if rest and not rest[0].startswith("-") else ""
        return f"{module} {argument}".strip()
    return Path(words[0]).name


def replay_once(files: list[Path], sample_ms: int) -> Run:
    """One replay on a fresh home; 0: a row at every tick."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    kept["TICKHOUSE_FEATURES__SAMPLE_MS"] = str(sample_ms)
    with tempfile.TemporaryDirectory() as home:
        arguments = [*map(str, files), "--speed", "max", "--train-first", "0.3", "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "replay", *arguments],
            env={**kept, "TICKHOUSE_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        sampler = CpuSampler(process.pid)
        out, err = process.communicate()
        used = sampler.stop()
        stored = sum(f.stat().st_size for f in (Path(home) / "warehouse").rglob("*") if f.is_file())
    if not out:
        raise SystemExit(f"the replay failed with exit code {process.returncode}:\n{err}")
    return Run(json.loads(out), used, sampler.memory_mib, stored)


def table_of(runs: list[Run]) -> Table:
    """A column per run and the median."""
    columns = [f"run {n}" for n in range(1, len(runs) + 1)]
    table = Table("measured", *columns, "median", title="tickhouse replay --speed max")
    for label, key in (
        ("ticks", "ticks_read"),
        ("ticks/s (streaming, without training)", "ticks_per_s"),
        ("streaming and training, s", "wall_s"),
        ("training, s", "train_s"),
        ("predictions", "predictions"),
        ("all, s", "total_s"),
    ):
        _row(table, label, [float(result[key]) for result, *_ in runs])
    table.add_row("reconciled", *(str(result["reconciled"]) for result, *_ in runs), "")
    table.add_section()
    names = {name: None for _, used, *_ in runs for name in used}
    for name in names:
        _row(table, f"CPU s: {name}", [used.get(name, 0.0) for _, used, *_ in runs])
    _row(table, "CPU s: all", [sum(used.values()) for _, used, *_ in runs])
    _row(table, "CPU s: all, without training", [_untrained_s(run) for run in runs])
    return table


def _untrained_s(run: Run) -> float:
    return sum(run.used.values()) - float(run.result["train_cpu_s"])


def _row(table: Table, label: str, values: list[float]) -> None:
    form = "{:,.0f}" if max(values) >= 1000 else "{:,.2f}"
    table.add_row(label, *map(form.format, [*values, statistics.median(values)]))


def _note_every_tick(runs: list[Run]) -> None:
    rate = statistics.median(float(run.result["ticks_per_s"]) for run in runs)
    command = "python -m benchmarks.bench_replay --every-tick"
    note(Figure("replay, a prediction on every tick", rate, "ticks/s", command, 150_000.0,
                least=True))  # fmt: skip


def _note(runs: list[Run]) -> None:
    command, middle = "python -m benchmarks.bench_replay", statistics.median
    millions = runs[0].result["ticks_read"] / 1e6
    rate = middle(float(run.result["ticks_per_s"]) for run in runs)
    cpu_s = middle(sum(run.used.values()) for run in runs) / millions
    untrained_s = middle(_untrained_s(run) for run in runs) / millions
    # What a person waits beyond what the printed rate says: start, drain, reconciliation.
    beyond_s = middle(run.result["total_s"] - run.result["wall_s"] for run in runs)
    note(
        Figure("replay end to end", rate, "ticks/s", command, 350_000.0, least=True),
        Figure("replay, training included", cpu_s, "CPU s a million ticks", command),
        Figure("replay, without training", untrained_s, "CPU s a million ticks", command, 5.3),
        Figure("replay, from command to prompt beyond its ticks", beyond_s, "s", command, 4.0),
    )
    for name in ("streams signals", "warehouse", "streams ticks"):
        each = middle(run.used.get(name, 0.0) for run in runs) / millions
        note(Figure(f"replay, {name}", each, "CPU s a million ticks", command))
        mib = middle(run.memory_mib.get(name, 0.0) for run in runs)
        note(Figure(f"replay, {name}, memory", mib, "MiB", command))
    others = {*runs[0].memory_mib} - {"streams signals", "warehouse", "streams ticks", _COMMAND}
    mib = middle(sum(run.memory_mib.get(name, 0.0) for name in others) for run in runs)
    kept = middle(run.kept / run.result["features"] for run in runs)
    note(
        Figure("replay, other processes, memory", mib, "MiB", command),
        Figure("replay, warehouse on disk by sampled second", kept, "bytes", command),
    )


_COMMAND = "cli.main replay"


def main() -> int:
    """Replay, print; exit code 1 when a run did not reconcile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="tick files")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--every-tick", action="store_true", help="a row at every tick")
    parser.add_argument("--json", action="store_true", help="also print each run as a JSON line")
    options = parser.parse_args()
    console = Console()
    console.print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        files = options.paths or recorded_files() or write_generated(Path(scratch))
        sample_ms = 0 if options.every_tick else 1000
        runs = [replay_once(files, sample_ms) for _ in range(options.repeats)]
    if options.json:
        for result, used, *_ in runs:
            print(json.dumps({"result": result, "cpu_s": used}))
    console.print(table_of(runs))
    (_note_every_tick if options.every_tick else _note)(runs)
    console.print(describe())
    return 0 if all(result["reconciled"] for result, *_ in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
