"""Backtest of an EMA cross beside nautilus_trader and hftbacktest: the same ticks, the same orders.

    python -m benchmarks.bench_backtest [PATH] [--ticks 1000000]

Goals: at least 4 times nautilus_trader's ticks per second in one run, and hftbacktest's. Each peer
is installed by pip into an environment of its own (`--nautilus DIR`, `--hftbacktest DIR`, default
in the cache directory), never into ours; one that cannot be installed is left out, and that is
said.

All follow the sign of the same two averages with market orders that fill at the quote at hand:
no latency, no slippage. Time, side and price of every fill must be equal. Ours is timed from
opening the file to the figures of the report, with risk checks and journal; of a peer only its
engine's run, without loading. hftbacktest has a book, a queue and a venue, and no accounts, checks
or records: of what ours does it is the part that fills orders. All run in turns, three times, best
of each, because others only ever add time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from adapters.simulator.broker.costs import Frictions
from backtest.job import FeedFile, Job
from backtest.portfolio import together
from backtest.run import run
from benchmarks.figures import Figure, note
from benchmarks.machine import describe
from core.contracts.order import EventKind
from core.instruments import is_open, known
from core.sections import ExecutionSettings, RunSettings, SignalSettings
from core.settings import Settings

NAUTILUS, HFTBACKTEST = "nautilus_trader 1.221.0", "hftbacktest 2.4.4"
#: How many times its ticks a second are the goal; and by CPU seconds.
_GOALS = {NAUTILUS: (4.0, 16.0), HFTBACKTEST: (1.0, 1.0)}
_LOTS, _UNITS = 0.1, 10  # of gold: 100 ounces a lot
_NO_FRICTION = Frictions(latency_ms=(0, 0), slip_probability=0.0, slip_spreads=0.0)
_STRATEGY = '''
"""The shipped EMA cross, held over weekends as the other side holds it."""

from strategies import ema_cross


class BenchCross(ema_cross.EmaCross):
    name = "bench_cross"

    def __init__(self, settings):
        self.horizon_s = 30 * 86_400.0

    def targets(self, rows, probabilities):
        return super().targets(rows, probabilities)
'''


class Side(NamedTuple):
    """One side's run: seconds by the clock and of its CPU, and its fills (time, side, price)."""

    wall_s: float
    cpu_s: float
    fills: list[tuple[int, str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="XAUUSD_source.parquet")
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nautilus", type=Path, help="its environment; made when missing")
    parser.add_argument("--hftbacktest", type=Path, help="its environment; made when missing")
    arguments = parser.parse_args()
    console = Console()
    console.print(describe())
    path = arguments.path or _recorded()
    with tempfile.TemporaryDirectory() as scratch:
        file, count = _cut(path, Path(scratch), arguments.ticks)
        peers = {}
        for peer, where in ((NAUTILUS, arguments.nautilus), (HFTBACKTEST, arguments.hftbacktest)):
            if python := _environment(peer, where, console):
                peers[peer] = _command(peer, python, file)
        ours, theirs = list[Side](), {peer: list[Side]() for peer in peers}
        _ours(file, Path(scratch))  # compiled kernels are loaded, files are in memory
        for _ in range(arguments.rounds):
            ours.append(_ours(file, Path(scratch)))
            for peer, command in peers.items():
                theirs[peer].append(_theirs(peer, command, Path(scratch)))
    _show(console, count, {"Tickhouse": ours, **theirs})
    for peer, sides in theirs.items():
        _compare(console, count, peer, ours, sides)


def _recorded() -> Path:
    data = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data"))
    return data / "ticks" / "XAUUSD_oanda.parquet"


def _cut(path: Path, scratch: Path, ticks: int) -> tuple[Path, int]:
    """The first ticks as parquet for us; the same as an array file for the other side.

    Without those of closed hours: our risk checks refuse orders then, the other side has none.
    """
    table = pq.read_table(path)
    hours, place = np.unique(table["time_msc"].to_numpy() // 3_600_000, return_inverse=True)
    session = known()[path.stem.split("_")[0]][-1].session
    open_ = np.array([is_open(session, hour * 3_600_000_000) for hour in hours.tolist()])
    table = table.filter(open_[place]).slice(0, ticks)
    file = scratch / path.name
    pq.write_table(table, file)
    columns = ("time_msc", "bid", "ask")
    array = np.zeros(len(table), [(n, "<i8" if n == "time_msc" else "<f8") for n in columns])
    for name in columns:
        array[name] = table[name].to_numpy()
    np.save(file.with_suffix(".npy"), array)
    return file, len(table)


def _ours(file: Path, scratch: Path) -> Side:
    home = scratch / "home"
    (home / "strategies").mkdir(parents=True, exist_ok=True)
    (home / "strategies" / "bench_cross.py").write_text(_STRATEGY)
    settings = Settings(
        str(home),
        run=RunSettings("bench", "backtest", "bench", "bench_cross"),
        signals=SignalSettings(stop_spreads=500.0, stop_volatility=0.0),
        execution=ExecutionSettings(
            lots=_LOTS, max_spread_ratio=1e9, max_quote_age_s=1e9, max_orders_per_minute=10**9
        ),
    )
    symbol, source = file.stem.split("_")
    feed = FeedFile(str(file), source, symbol)
    job = Job("bench", settings, (feed,), ((source, symbol),), frictions=_NO_FRICTION)
    began, worked = time.perf_counter(), time.process_time()
    outcome = run(job)
    together([outcome], settings.terminal.balance, 1)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - worked
    fills = [
        (event.ts_event_us // 1000, event.side, event.price)
        for event in outcome.events
        if event.kind is EventKind.FILLED
    ]
    return Side(wall_s, cpu_s, fills)


def _command(peer: str, python: Path, file: Path) -> list[str]:
    ticks, symbol = str(file.with_suffix(".npy")), file.stem.split("_")[0]
    script, *more = {
        NAUTILUS: ("nautilus_ema_cross.py", symbol, "5", str(_UNITS)),
        HFTBACKTEST: ("hftbacktest_ema_cross.py", str(_UNITS)),
    }[peer]
    return [str(python), str(Path(__file__).with_name(script)), ticks, *more]


def _theirs(peer: str, command: list[str], scratch: Path) -> Side:
    done = subprocess.run(command, capture_output=True, cwd=scratch, check=False)
    if done.returncode:
        raise SystemExit(f"{peer} failed:\n{done.stderr.decode()[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return Side(answer["wall_s"], answer["cpu_s"], [tuple(fill) for fill in answer["fills"]])


def _environment(peer: str, directory: Path | None, console: Console) -> Path | None:
    """The interpreter of an environment with a peer; None when it cannot be made."""
    package, version = peer.split()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    where = directory or cache / "tickhouse" / f"{package.split('_')[0]}-{version}"
    python = where / "bin" / "python"
    check: list[Path | str] = [python, "-c", f"import {package}"]
    if python.exists() and subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return python
    console.print(f"installing {peer} into {where}", soft_wrap=True)
    make = [sys.executable, "-m", "venv", str(where)]
    install = [str(python), "-m", "pip", "install", "--quiet", f"{package}=={version}"]
    for command in (make, install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            console.print(
                f"SKIPPED a comparison: {peer} cannot be installed here"
                f" ({done.stderr.strip().splitlines()[-1:]})",
                style="yellow",
            )
            return None
    return python


def _show(console: Console, count: int, measured: dict[str, list[Side]]) -> None:
    table = Table("", "s", "CPU s", "ticks per second", "fills", title=f"{count:,} ticks")
    for name, sides in measured.items():
        best, cpu = min(s.wall_s for s in sides), min(s.cpu_s for s in sides)
        speed = f"{count / best:,.0f}"
        table.add_row(name, f"{best:.2f}", f"{cpu:.2f}", speed, f"{len(sides[0].fills):,}")
    console.print(table)


def _compare(console: Console, count: int, peer: str, ours: list[Side], theirs: list[Side]) -> None:
    pairs = zip(ours[0].fills, theirs[0].fills, strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if differing or len(ours[0].fills) != len(theirs[0].fills):
        raise SystemExit(
            f"NOT the same orders as {peer}: {len(differing)} differ, first {differing[:1]}"
        )
    ratio = min(s.wall_s for s in theirs) / min(s.wall_s for s in ours)
    cpu = min(s.cpu_s for s in theirs) / min(s.cpu_s for s in ours)
    goal, by_cpu = _GOALS[peer]
    ours_rate, their_rate = (count / min(s.cpu_s for s in sides) for sides in (ours, theirs))
    note(Figure(
        f"backtest of the EMA cross, one core; peer: {peer}, the same fills", ours_rate,
        "ticks per CPU second", "python -m benchmarks.bench_backtest",
        by_cpu, "ratio", least=True, peer=their_rate,
    ))  # fmt: skip
    reached = "reached" if ratio >= goal else "NOT reached"
    console.print(
        f"the same {len(ours[0].fills):,} fills as {peer}; {ratio:.2f} times its ticks a second"
        f" ({cpu:.2f} times by CPU seconds); goal {goal:g}: {reached}"
    )


if __name__ == "__main__":
    main()
