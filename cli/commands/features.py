"""`tickhouse features`: a home's own features, and whether one can be trusted with a stream."""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.commands.printed import output
from core import durable
from core.contracts.tick import TICK, TickArray
from core.controls.approvals import is_signed
from core.feature_set import FOLDER
from core.settings import Settings

FAILED = 1
_BEGINS, _HOURS = datetime(2026, 3, 3, 6, tzinfo=UTC), 6.0  # of the generated market
_MOST_TICKS = 200_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which file."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the features in HOME/features, and their hash")
    checks = actions.add_parser(
        "check", help="run a feature's file against lookahead, cuts, warm-up; 1 when it fails"
    )
    checks.add_argument("file", type=Path, metavar="FILE", help="one Python file")
    checks.add_argument(
        "--ticks", type=Path, metavar="PATH",
        help="a normalised parquet SYMBOL_source.parquet; else six generated hours of EURUSD",
    )  # fmt: skip
    checks.add_argument(
        "--install", action="store_true", help="into HOME/features, when it passes every check"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """List or check: 0, or 1 for a feature that fails a check."""
    if namespace.action == "list":
        return _list(settings, output.console())
    from features import own, own_check

    console, loaded = output.console(), own.load(namespace.file)
    passed = True
    for result in own_check.check(loaded, _ticks(namespace.ticks)):
        passed &= result.passed
        style = "green" if result.passed else "bold red"
        word = "passed" if result.passed else "FAILED"
        console.print(Text.assemble((f"{word:7}", style), f" {result.name:14} {result.text}"))
    if not passed:
        console.print(Text(f"{namespace.file} cannot be served: mend what failed and check again"))
        return FAILED
    if namespace.install:
        target = settings.home_path / FOLDER / namespace.file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        durable.write(target, namespace.file.read_bytes())
        console.print(Text(f"{target} written: {_served(settings, target.stem)}"), soft_wrap=True)
    return 0


def _served(settings: Settings, name: str) -> str:
    """From when on it is, and what has to be done before."""
    if not is_signed(settings):
        return (
            "backtests and replays serve it from now on, a stream from the next `tickhouse up` on"
        )
    return (
        "backtests and replays serve it from now on, a stream once it is signed (tickhouse controls"
        f" approve feature {name} --days 90 --by WHO --reason TEXT) and started anew"
    )


def _list(settings: Settings, console: Console) -> int:
    from features import own

    features = own.of_folder(settings.home_path / FOLDER)
    table = Table("feature", "unit", "warm-up, s", "definition")
    for loaded in features:
        feature = loaded.feature
        table.add_row(feature.name, feature.unit, f"{feature.warm_up_s:g}", feature.definition)
    if features:
        console.print(table)
    console.print(f"feature set {own.set_hash(features)}, {len(features)} of your own")
    return 0


def _ticks(path: Path | None) -> TickArray:
    import numpy as np

    from adapters.simulator.markets.generated_files import write_parquet
    from adapters.simulator.markets.tickfile import ParquetTicks

    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        path = path or write_parquet(Path(scratch), ["EURUSD"], _BEGINS, _HOURS)[0]
        raw = np.concatenate(list(ParquetTicks(path).chunks()))[:_MOST_TICKS]
    ticks = np.zeros(len(raw), TICK)
    for field in ("time_msc", "bid", "ask", "last", "flags"):
        ticks[field] = raw[field]
    ticks["volume"] = raw["volume_real"]
    return ticks
