"""`tickhouse import PATH...`: tick files of many vendors into the warehouse."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from adapters.clickhouse.tick_store import ClickhouseTickStore
from adapters.files.assumptions import FileOptions
from adapters.files.base import TickFile
from adapters.files.detect import KNOWN
from cli.commands.printed.import_table import table
from cli.ingest.run import IngestRules, check, store_all
from cli.ingest.warehouse import warehouse
from core.clock import SystemClock
from core.instruments import shipped
from core.settings import Settings

_FILE_WIDTH = 120  # columns of the table where no terminal sets them

_HOW = "add it to core/instruments.toml, or name it with --symbol, and import again"


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
        "--point", type=float, help="smallest price step of bi5 files of unlisted symbols"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Import, show what became of each file, return 0.

    Raises:
        InputError: see cli.ingest.run.check; nothing was stored.
        UnavailableError, WarehouseError: see cli.ingest.warehouse.warehouse.
    """
    rules = IngestRules(SystemClock().now_us(), settings.collector.future_tolerance_s * 1_000_000)
    options = FileOptions(namespace.source, namespace.symbol, namespace.tz, namespace.point)
    console = Console()
    with _Bar(console) as bar:
        checked = check(namespace.paths, options, bar.show)
        with warehouse(settings) as where:
            store = ClickhouseTickStore(where)
            try:
                result = store_all(checked, store, rules, bar.show)
            finally:
                store.close()
    shown = console if console.is_terminal else Console(width=_FILE_WIDTH)
    shown.print(table(result))
    for symbol in sorted({f.symbol for f in result.files} - set(shipped())):
        console.print(
            f"{symbol} is no instrument known here, so its rows went to quarantine: {_HOW}"
        )
    for path in result.skipped:
        console.print(f"skipped, of no known format: {escape(str(path))}")
    return 0


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
