"""What became of an import, for people: a line per file, or per feed when there are many."""

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby

import msgspec
from rich.markup import escape
from rich.table import Table

from cli.ingest.results import FileResult, ImportResult

_MANY = 20  # files; beyond it a line per feed tells more


def table(result: ImportResult) -> Table:
    """The files (or feeds) and their sums."""
    shown = Table(title="Imported ticks", caption="A zone that is wrong is corrected with --tz")
    shown.add_column("file, format, zone of its times", overflow="fold")
    shown.add_column("feed", overflow="fold")
    for name in ("rows", "stored"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("flagged", no_wrap=True)
    shown.add_column("quarantined", overflow="fold")
    shown.add_column("span (UTC)", no_wrap=True)
    lines = result.files if len(result.files) <= _MANY else by_feed(result.files)
    for file in lines:
        shown.add_row(*_line(file))
    if len(lines) > 1:
        shown.add_section()
        shown.add_row(*_sums(result.files))
    return shown


def by_feed(files: list[FileResult]) -> list[FileResult]:
    """Files of one format, feed and zone as one result."""

    def feed(file: FileResult) -> tuple[str, str, str, str]:
        return file.format, file.source, file.symbol, file.zone

    return [_together(list(group)) for _, group in groupby(sorted(files, key=feed), key=feed)]


def _together(files: list[FileResult]) -> FileResult:
    firsts = [file.first_msc for file in files if file.first_msc is not None]
    lasts = [file.last_msc for file in files if file.last_msc is not None]
    return msgspec.structs.replace(
        files[0],
        path=files[0].path if len(files) == 1 else files[0].path.with_name(f"{len(files)} files"),
        rows=sum(file.rows for file in files),
        stored=sum(file.stored for file in files),
        first_msc=min(firsts, default=None),
        last_msc=max(lasts, default=None),
        flagged=sum((file.flagged for file in files), Counter()),
        quarantined=sum((file.quarantined for file in files), Counter()),
    )


def _line(file: FileResult) -> tuple[str, ...]:
    return (
        f"{escape(file.path.name)}\n[dim]{escape(file.format)}, {escape(file.zone)}[/dim]",
        f"{escape(file.symbol)}\n{escape(file.source)}",
        f"{file.rows:,}",
        f"{file.stored:,}",
        _counts(file.flagged),
        _counts(file.quarantined),
        _span(file),
    )


def _sums(files: list[FileResult]) -> tuple[str, ...]:
    total = _together(files)
    return (
        f"{len(files)} files",
        "",
        f"{total.rows:,}",
        f"{total.stored:,}",
        _counts(total.flagged),
        _counts(total.quarantined),
        _span(total),
    )


def _counts(counts: Counter[str]) -> str:
    return "\n".join(f"{count:,} {name}" for name, count in counts.most_common()) or "none"


def _span(file: FileResult) -> str:
    if file.first_msc is None or file.last_msc is None:
        return "no tick"
    first, last = (
        datetime.fromtimestamp(msc / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        for msc in (file.first_msc, file.last_msc)
    )
    return f"{first}\n{last}"
