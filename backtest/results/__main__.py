"""`python -m backtest.results [DATA] [--out FILE]`: train, evaluate, and write the honest page.

DATA is a folder with `ticks/*.parquet` (SYMBOL_source.parquet) and `bars/*_h1_*.parquet`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from backtest.results import bars, leak, page, ticks, trading
from backtest.results.page import Found
from core.errors import InputError, ModelError
from features.catalog import FEATURE_SET_HASH, NAMES

_LEAST_BYTES = 50_000  # smaller files hold minutes


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page: 0."""
    parser = argparse.ArgumentParser(prog="python -m backtest.results", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--only", default="", help="files whose name holds this")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    text = page.text(_found(options.data, options.only, console))
    options.out.write_text(text, encoding="utf-8")
    console.print(f"{options.out} written")
    return 0


def _found(data: Path, only: str, console: Console) -> Found:
    files = _files(data / "ticks", "*.parquet", only)
    hourly = _files(data / "bars", "*_h1_*.parquet", only)
    if not files and not hourly:
        raise InputError(str(data), "no ticks/*.parquet and no bars/*_h1_*.parquet in it")
    made_with = (
        f"{len(NAMES)} features, feature set `{FEATURE_SET_HASH}`, members"
        f" {', '.join(ticks.MEMBERS)}"
    )
    found = Found([], [], [], [], [], made_with)
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as home:
        settings = ticks.run_settings(home)
        for file in files:
            console.print(f"ticks {file.name}")
            try:
                judged, card, figures = ticks.judge(file, settings)
            except ModelError as error:
                found.left_out.append((file.stem, str(error)))
                continue
            found.ticks.append(figures)
            for name, rows, auc in (
                (f"{figures.feed}, walking forward", judged, figures.auc),
                (f"{figures.feed}, last quarter", card, figures.card_auc),
            ):
                if auc.value > leak.SUSPICIOUS:
                    found.findings.append(leak.investigate(name, rows))
            found.trading.extend(trading.of(file, settings))
        for file in hourly:
            console.print(f"bars {file.name}")
            found.bars.append(bars.judge(file, settings.models))
    return found


def _files(folder: Path, pattern: str, only: str) -> list[Path]:
    return sorted(
        path
        for path in folder.glob(pattern)
        if only in path.name and path.stat().st_size > _LEAST_BYTES
    )


if __name__ == "__main__":
    sys.exit(main())
