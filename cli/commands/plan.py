"""`tickhouse plan`: how many processes, shards, cores, memory and disk a load takes."""

import argparse
import math

import msgspec
from rich.table import Table

from cli.commands.printed import output
from core.capacity import ASSUMPTIONS, plan
from core.errors import InputError
from core.settings import Settings
from core.shipped import shipped

_FIGURES = "benchmarks/figures.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The load."""
    parser.add_argument("--symbols", type=_count, required=True, metavar="N", help="feeds")
    parser.add_argument(
        "--rate", type=_rate, required=True, metavar="R", help="ticks a second, all feeds together"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print the plan with what it rests on.

    Raises:
        InputError: the figures are not there, or one that is needed is not.
    """
    try:
        kept = msgspec.json.decode(shipped(_FIGURES).read_bytes())
        figures = {one["name"]: float(one["value"]) for one in kept}
        needed = plan(namespace.symbols, namespace.rate, figures)
    except FileNotFoundError as error:
        raise InputError(_FIGURES, "is missing: `make bench KEEP=1` makes it") from error
    except KeyError as error:
        raise InputError(_FIGURES, f"lacks {error}: `make bench KEEP=1` measures it") from error
    table = Table("what", "how much", title=f"{namespace.symbols:,} symbols, {namespace.rate:,g}/s")
    table.add_row("shards of `ticks` and `signals` (streams.shards)", f"{needed.partitions}")
    for name, count in needed.processes.items():
        table.add_row(f"process {name}", f"{count}")
    table.add_row("cores for warehouse, signals and ticks", f"{needed.cores:.2f}")
    table.add_row("memory", f"{needed.memory_mib / 1024:.1f} GiB")
    table.add_row("disk a day of open market", f"{needed.disk_gib_a_day:.2f} GiB")
    console = output.console()
    console.print(table)
    machines = ", ".join(sorted({one["machine"] for one in kept}))
    loads = sorted(one["load"] for one in kept)
    console.print(
        f"Measured on {machines}, load {loads[0]:g} to {loads[-1]:g}; docs/reference/figures.md"
        " has the days",
        highlight=False,
    )
    for line in ASSUMPTIONS:
        console.print(f"- {line}", highlight=False)
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number of symbols, one at least")
    return int(text)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no rate of ticks")
    return rate
