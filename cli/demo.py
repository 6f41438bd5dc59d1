"""`tickhouse demo`: the whole pipeline, bounded, on the built-in simulated market.

The market is generated with a declared, planted edge (see adapters/mt5/generated.py), so that a
newcomer sees trades; a model trained on it is marked simulated and can never go live.
"""

import argparse
from datetime import UTC, datetime

from rich.console import Console

from adapters.mt5 import generated_market
from cli import replay_report
from cli.replay import replay
from cli.replay_plan import Options
from core.settings import Settings

#: A Monday: the generated market keeps real sessions.
_START = datetime(2026, 3, 2, tzinfo=UTC)
_HOURS = 36
_TRAIN_FIRST = 0.5

_NEXT = """\
[bold]tickhouse up[/]                       the same, continuously, at market speed
[bold]tickhouse replay PATH --train-first 0.3[/]   your own recorded ticks
[bold]tickhouse import PATH[/]              tick files of MT5, Dukascopy, HistData, TrueFX, LEAN
[bold]tickhouse doctor[/]                   what this machine lacks, with the remedy
README.md and docs/ say where to go from here. The market was simulated and its edge planted:
no figure above says anything about real money."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tickhouse demo`."""
    parser.add_argument("--hours", type=int, default=_HOURS, help="market time to simulate")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 only when reconciled."""
    console = Console()
    symbols = settings.terminal.symbols
    directory = settings.home_path / "demo"
    with console.status(f"simulating {namespace.hours} h of {', '.join(symbols)}"):
        paths = generated_market.write_parquet(
            directory, symbols, _START, namespace.hours, settings.terminal.seed
        )
    options = Options(tuple(paths), None, None, None, _TRAIN_FIRST, "model", model="")
    result = replay(options, settings, console, simulated=True)
    replay_report.show(result, console, _NEXT)
    return 0 if result["reconciled"] else 1
