"""`python -m backtest.strategy_pages [DATA] [--out DIR]`: a page for each strategy that ships.

DATA is a folder with `ticks/*.parquet` (SYMBOL_source.parquet); the generated market is made here.
Three minutes on one core.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from adapters.simulator.markets.generated_files import write_parquet
from backtest.results.ticks import run_settings
from backtest.strategy_pages import page
from backtest.strategy_pages.figures import STRATEGIES, Outcome, of, recordings, trials
from core.errors import InputError
from core.settings import Settings
from strategies import select

_GENERATED = ("EURUSD", "XAUUSD")
_BEGINS, _HOURS = datetime(2026, 3, 2, tzinfo=UTC), 12 * 24


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages: 0."""
    parser = argparse.ArgumentParser(prog="python -m backtest.strategy_pages", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/strategies"))
    options = parser.parse_args(arguments)
    real = sorted((options.data / "ticks").glob("*.parquet"))
    if not real:
        raise InputError(str(options.data), "no ticks/*.parquet in it")
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        settings = run_settings(scratch)
        generated = write_parquet(Path(scratch) / "generated", _GENERATED, _BEGINS, _HOURS)
        outcomes = {
            name: _outcomes(name, settings, real, generated, console) for name in STRATEGIES
        }
    write(outcomes, settings, options.out)
    console.print(f"{options.out} written")
    return 0


def write(outcomes: dict[str, list[Outcome]], settings: Settings, out: Path) -> None:
    """A page each, and the list."""
    out.mkdir(parents=True, exist_ok=True)
    purposes = {}
    for name, results in outcomes.items():
        strategy = type(select.select(name, settings.signals))
        purposes[name] = page.purpose(strategy)
        body = page.text(name, strategy, select.declared(name), results)
        (out / f"{name}.md").write_text(body, encoding="utf-8")
    (out / "README.md").write_text(page.overview(outcomes, purposes), encoding="utf-8")


def _outcomes(
    name: str, settings: Settings, real: Sequence[Path], generated: Sequence[Path], console: Console
) -> list[Outcome]:
    count, results = trials(real), []
    for kind in (real, generated):
        for paths in recordings(name, kind):
            console.print(name, *(path.stem for path in paths))
            results.append(of(paths, settings, name, count, generated=kind is generated))
    return results


if __name__ == "__main__":
    sys.exit(main())
