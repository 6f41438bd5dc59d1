"""`tickhouse demo`: the whole pipeline, bounded, on the built-in simulated market.

The market is generated with a declared, planted edge (see adapters/simulator/markets/generated.py),
so that a newcomer sees trades; a model trained on it is marked simulated and can never go live.
"""

import argparse
from datetime import UTC, datetime

from rich.console import Group
from rich.table import Table

from adapters.simulator.markets import generated_market
from cli.commands.printed import output
from cli.commands.printed import replay as replay_report
from cli.commands.replay import replay
from cli.replay.plan import ReplayOptions
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


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 only when reconciled."""
    console = output.console()
    symbols = settings.terminal.symbols
    directory = settings.home_path / "demo"
    with console.status(f"simulating {namespace.hours} h of {', '.join(symbols)}"):
        paths = generated_market.write_parquet(
            directory, symbols, _START, namespace.hours, settings.terminal.seed
        )
    options = ReplayOptions(tuple(paths), None, None, None, _TRAIN_FIRST, "model", model="")
    result = replay(options, settings, console, simulated=True)
    replay_report.show(result, console, _next_steps())
    return 0 if result["reconciled"] else 1


def _next_steps() -> Group:
    table = Table.grid(padding=(0, 2))
    for command, what in _NEXT.items():
        table.add_row(f"[bold]{command}[/]", what)
    return Group(table, "", _WARNING)
