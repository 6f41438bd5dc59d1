"""`tickhouse import PATH...`: tick files of many vendors into the warehouse."""

import argparse
import math
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from adapters.clickhouse import instruments
from adapters.clickhouse.tick_store import ClickhouseTickStore
from adapters.clickhouse.writer import Writer
from adapters.files.assumptions import FileOptions
from adapters.files.base import TickFile
from adapters.files.detect import KNOWN
from cli.commands.printed import output
from cli.commands.printed.import_table import table
from cli.ingest.changes import author, corrections_of
from cli.ingest.checking import CheckedFiles, check
from cli.ingest.results import FileResult, ImportResult
from cli.ingest.results import Progress as Shown
from cli.ingest.storing import IngestRules, store_all
from cli.ingest.warehouse import warehouse
from core import crashpoint
from core.clock import SystemClock
from core.sections import ClickhouseSettings
from core.settings import Settings

_SKIPPED = "they are stored and in bars, but features, models and backtests skip them"
_QUARANTINE_PERCENT = 1.0  # of a file's rows; more is more than dirt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help=f"files or folders: {KNOWN}"
    )
    parser.add_argument("--source", help="broker or feed, where files do not say")
    parser.add_argument("--symbol", help="instrument, where files do not say")
    parser.add_argument(
        "--tz", help="zone of the files' times: UTC, EST, +02:00, Europe/Athens, ..."
    )
    parser.add_argument(
        "--allow-quarantine",
        type=_percent,
        default=_QUARANTINE_PERCENT,
        metavar="PERCENT",
        help="of a file's rows, without an exit code of 1 (default: %(default)g)",
    )
    parser.add_argument(
        "--accept-cut",
        action="store_true",
        help="take a file that ends in the middle of a row, without that row",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="each file is all there is of its span: withdraw the stored ticks that it lacks",
    )
    parser.add_argument("--reason", default="", help="why stored ticks change, for the audit trail")
    parser.add_argument(
        "--point", type=float, help="smallest price step of bi5 files of unlisted symbols"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Import, show what became of each file; 0, or 1 when too much went to quarantine.

    Raises:
        InputError: see cli.ingest.checking.check; nothing was stored.
        UnavailableError, WarehouseError: see cli.ingest.warehouse.warehouse.
    """
    tolerance_us = settings.collector.future_tolerance_s * 1_000_000
    rules = IngestRules(SystemClock().now_us(), tolerance_us, namespace.complete)
    crashpoint.arm_for("import", settings.chaos.crash_at, settings.home_path / "run")
    options = FileOptions(
        namespace.source, namespace.symbol, namespace.tz, namespace.point, namespace.accept_cut
    )
    console = output.console()
    with _Bar(console) as bar:
        checked = check(namespace.paths, options, bar.show)
        with warehouse(settings) as where:
            result = _stored(checked, where, settings, rules, namespace.reason, bar.show)
    console.print(table(result))
    _tell_changes(console, result)
    for path in result.skipped:
        console.print(f"skipped, of no known format: {escape(str(path))}")
    for file in result.files:
        if late := file.flagged["out of order"]:
            console.print(f"{escape(str(file.path))}: {late:,} rows are out of order: {_SKIPPED}")
    beyond = result.beyond(namespace.allow_quarantine / 100)
    for file in beyond:
        console.print(_too_many(file), style="red", soft_wrap=True)
    return 1 if beyond else 0


def _stored(
    checked: CheckedFiles, where: ClickhouseSettings, settings: Settings, rules: IngestRules,
    reason: str, show: Shown,
) -> ImportResult:  # fmt: skip
    with Writer(where) as writer:
        corrections = corrections_of(writer, settings, "import")
        store = ClickhouseTickStore(writer, corrections, author(settings), reason)
        with corrections.alone():
            corrections.finish()
            result = store_all(checked, store, rules, show)
        instruments.store(writer, {(file.source, file.symbol) for file in result.files})
        return result


def _tell_changes(console: Console, result: ImportResult) -> None:
    for file in result.files:
        if file.corrected or file.withdrawn:
            text = f"{file.corrected:,} corrected, {file.withdrawn:,} withdrawn"
            hint = (
                f"see them: tickhouse ticks history {file.source} {file.symbol}; "
                "what follows: tickhouse restate"
            )
            console.print(f"{escape(str(file.path))}: {text}; {hint}", soft_wrap=True)


def _too_many(file: FileResult) -> str:
    share = 100 * file.quarantined.total() / file.rows
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in file.quarantined.most_common())
    return (
        f"{escape(str(file.path))}: {share:.1f} % of its rows are in tick_quarantine ({reasons}). "
        f"The others are stored. If that is right: --allow-quarantine {math.ceil(share)}"
    )


def _percent(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is no percentage from 0 to 100")
    return value


class _Bar:
    """Rows read, then rows stored, of the file at hand."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        )
        self._task: TaskID = self._progress.add_task("opening", total=None)
        self._rows: dict[Path, int] = {}

    def show(self, stage: str, file: TickFile, rows: int) -> None:
        if stage == "read":
            self._rows[file.path] = rows
        total = self._rows[file.path] if stage == "store" else None
        verb = {"read": "reading", "store": "storing"}[stage]
        self._progress.update(
            self._task,
            description=f"{verb} {escape(file.path.name)}: {rows:,} rows",
            total=total,
            completed=rows,
        )

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
