"""The newest errors in a home's logs, each with what to do.

An error of ours says itself what to do; for what others wrote there is a short table of what
people meet, and else the place where more is.
"""

import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Column, Table

from cli.diagnostics.log_entries import Entry, new_entries
from core.log import parsed

_MOST = 10
_LONGEST = 200  # characters of one error
#: What is in the way, by the words that programs use for it.
_REMEDIES = (
    (r"No space left|disk is full|ENOSPC", "make room on the disk of the home: tickhouse doctor"),
    (r"Permission denied|EACCES", "give the files of the home to who runs it"),
    (r"Too many open files|EMFILE", "raise the limit of open files (ulimit -n 4096)"),
    (r"MemoryError|Cannot allocate memory|MEMORY_LIMIT", "set TICKHOUSE_WAREHOUSE__MEMORY_MIB"),
    (
        r"does not answer|[Cc]onnection refused|is away",
        "tickhouse status: is what it asks running?",
    ),
)


class LoggedError(NamedTuple):
    """One error, or the same one `times` times; `timestamp` is that of the newest."""

    timestamp: str
    process: str
    text: str
    times: int
    remedy: str


def newest_errors(home: Path) -> list[LoggedError]:
    """At most ten, newest first; of the end of each log alone."""
    files = sorted((home / "logs").glob("*.log"))
    entries = new_entries(files, dict.fromkeys(files, 0))
    return grouped(entry for entry in entries if entry.level >= logging.ERROR)


def grouped(entries: Iterable[Entry]) -> list[LoggedError]:
    """The same words of the same process are one error."""
    newest = dict[tuple[str, str], tuple[str, int]]()
    for entry in entries:
        record = parsed(entry.line)
        if record is None:  # belongs to the record before it
            continue
        key = entry.process, str(record["event"])[:_LONGEST]
        timestamp, count = newest.get(key, ("", 0))
        newest[key] = max(timestamp, entry.timestamp), count + 1
    errors = [
        LoggedError(timestamp, process, text, count, remedy_of(process, text))
        for (process, text), (timestamp, count) in newest.items()
    ]
    return sorted(errors, reverse=True)[:_MOST]


def remedy_of(process: str, text: str) -> str:
    """What to do about it."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, text):
            return remedy
    return f"tickhouse logs {process} --level error"


def table_of(errors: list[LoggedError]) -> Table:
    """Errors as people read them."""
    table = Table(Column("newest errors, UTC", no_wrap=True), "process", "error", "remedy")
    for one in errors:
        again = f" ({one.times} times)" if one.times > 1 else ""
        cells = one.timestamp[:19].replace("T", " "), one.process, one.text + again, one.remedy
        table.add_row(*(escape(cell) for cell in cells))
    return table
