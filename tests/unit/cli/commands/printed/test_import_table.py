"""The table of an import: a line per file, per feed when there are many, and the sums."""

import io
from collections import Counter
from pathlib import Path

from rich.console import Console

from cli.commands.printed.import_table import table
from cli.ingest.results import FileResult, ImportResult


def result(i: int, source: str = "oanda") -> FileResult:
    return FileResult(
        Path(f"{i:02}h_ticks.bi5"), "Dukascopy bi5", source, "EURUSD", "UTC (said)",
        rows=1000 + i, stored=900, first_msc=3_600_000 * i, last_msc=3_600_000 * i + 1000,
        flagged=Counter({"crossed": 2}), quarantined=Counter({"nan_price": i}),
    )  # fmt: skip


def shown(files: list[FileResult]) -> str:
    console = Console(width=140, file=io.StringIO())
    console.print(table(ImportResult(files, [])))
    return console.file.getvalue()


def test_a_few_files_are_listed_with_their_counts():
    text = shown([result(1), result(2), result(0)])
    assert all(name in text for name in ("00h_ticks.bi5", "01h_ticks.bi5", "02h_ticks.bi5"))
    assert "1,002" in text
    assert "2 nan_price" in text
    assert "1970-01-01 01:00:00" in text
    assert "3,003" in text  # rows together
    assert "6 crossed" in text


def test_many_files_are_told_per_feed():
    text = shown([result(i, "oanda" if i % 2 else "fxcm") for i in range(24)])
    assert "h_ticks" not in text
    assert text.count("12 files") == 2
    assert "24 files" in text
    assert "1970-01-01 23:00:01" in text
