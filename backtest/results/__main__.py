"""`python -m backtest.results [DATA] [--out FILE] [--kept DIR]`: train, evaluate, write the page.

DATA is a folder with `ticks/*.parquet` (SYMBOL_source.parquet) and `bars/*_h1_*.parquet`. All of
them take a quarter of an hour on one core; with --kept, files that were done before are not done
again.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from backtest.results import bars, leak, page, ticks, trading
from backtest.results.findings import FeedResult, Findings
from backtest.results.kept import Kept
from core.errors import InputError, ModelError
from core.settings import Settings
from features.catalog import FEATURE_SET_HASH, NAMES


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page: 0."""
    parser = argparse.ArgumentParser(prog="python -m backtest.results", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--kept", type=Path, help="folder for what is done, to go on from")
    options = parser.parse_args(arguments)
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # warns at each export of the network
    console = Console(stderr=True)
    text = page.text(_findings(options.data, options.only, Kept(options.kept), console))
    options.out.write_text(text, encoding="utf-8")
    console.print(f"{options.out} written")
    return 0


def _findings(data: Path, only: str, kept: Kept, console: Console) -> Findings:
    files = _files(data / "ticks", "*.parquet", only)
    hourly = _files(data / "bars", "*_h1_*.parquet", only)
    if not files and not hourly:
        raise InputError(str(data), "no ticks/*.parquet and no bars/*_h1_*.parquet in it")
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as home:
        settings = ticks.run_settings(home)
        members = ", ".join(settings.models.members)
        made_with = f"{len(NAMES)} features, feature set `{FEATURE_SET_HASH}`, members {members}"
        feeds, years = [], []
        for file in files:
            console.print(f"ticks {file.name}")
            feeds.append(
                kept.get(
                    file,
                    settings,
                    FeedResult,
                    lambda f=file: _feed(f, settings, console),  # type: ignore[misc]
                )
            )
        for file in hourly:
            console.print(f"bars {file.name}")
            years.append(
                kept.get(
                    file,
                    settings,
                    bars.BarFigures,
                    lambda f=file: bars.evaluate(f, settings.models),  # type: ignore[misc]
                )
            )
    return Findings(feeds, years, made_with)


def _feed(file: Path, settings: Settings, console: Console) -> FeedResult:
    def progress(stage: str, _share: float) -> None:
        if stage.startswith("fold"):
            console.print(f"  {stage}")

    try:
        predictions, figures = ticks.evaluate(file, settings, progress)
    except ModelError as error:
        return FeedResult(file.stem, None, [], [], str(error))
    findings = [
        leak.investigate(figures.feed, predictions, member, fold)
        for member, fold in leak.suspects(figures)
    ]
    return FeedResult(file.stem, figures, findings, trading.of(file, settings), "")


def _files(folder: Path, pattern: str, only: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if only in path.name)


if __name__ == "__main__":
    sys.exit(main())
