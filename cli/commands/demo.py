"""`tickhouse demo`: the whole pipeline, bounded, on the built-in simulated market.

The market is generated with a declared, planted edge (see adapters/simulator/markets/generated.py),
so that a newcomer sees trades; a model trained on it is marked simulated and can never go live.

`--busy` makes up a day instead, in a home of its own, in which everything happens that boards show.
"""

import argparse
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.table import Table

from adapters.simulator.markets import generated_files
from cli.commands.printed import output
from cli.commands.printed import replay as replay_report
from cli.commands.replay import replay
from cli.replay.plan import ReplayOptions
from core.clock import SystemClock
from core.settings import Settings

#: A Monday: the generated market keeps real sessions.
_START = datetime(2026, 3, 2, tzinfo=UTC)
_HOURS = 36
_TRAIN_FIRST = 0.5

_NEXT = {
    "tickhouse up": "the same, continuously, at market speed",
    "tickhouse replay PATH --train-first 0.3": "your own recorded ticks",
    "tickhouse import PATH": "tick files of MT5, Dukascopy, HistData, TrueFX, LEAN",
    "tickhouse doctor": "what this machine lacks, with the remedy",
}
_WARNING = (
    "The market was simulated and its edge planted: no figure above says anything about real"
    " money. README.md and docs/ say where to go from here."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tickhouse demo`."""
    parser.add_argument("--hours", type=int, default=_HOURS, help="market time to simulate")
    parser.add_argument(
        "--busy", action="store_true", help="instead a made-up day that fills every table and board"
    )
    parser.add_argument("--mode", default="demo", help="of the busy day's rows: demo, live, ...")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 only when reconciled."""
    console = output.console()
    if namespace.busy:
        return _busy(namespace.mode, settings, console)
    symbols = settings.terminal.symbols
    directory = settings.home_path / "demo"
    with console.status(f"simulating {namespace.hours} h of {', '.join(symbols)}"):
        paths = generated_files.write_parquet(
            directory, symbols, _START, namespace.hours, settings.terminal.seed
        )
    options = ReplayOptions(tuple(paths), None, None, None, _TRAIN_FIRST, "model", model="")
    result = replay(options, settings, console, simulated=True)
    replay_report.show(result, console, _next_steps())
    return 0 if result["reconciled"] else 1


def _busy(mode: str, settings: Settings, console: Console) -> int:
    from cli.busy.home import generate

    with console.status("a busy day, and its marts"):
        generated = generate(settings, mode, SystemClock())
    rows = ", ".join(f"{count:,} {name}" for name, count in generated.rows.items())
    console.print(f"A made-up day of mode {mode} is in {generated.folder}: {rows}.")
    if not generated.has_marts:
        console.print("dbt is missing, so its marts are empty: make install-orchestration")
    console.print(f"Look at it: TICKHOUSE_HOME={generated.folder} tickhouse up --bare --grafana")
    console.print("None of it happened, and none of it is in any other home.")
    return 0


def _next_steps() -> Group:
    table = Table.grid(padding=(0, 2))
    for command, what in _NEXT.items():
        table.add_row(f"[bold]{command}[/]", what)
    return Group(table, "", _WARNING)
