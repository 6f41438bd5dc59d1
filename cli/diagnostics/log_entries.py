"""Lines of a home's logs with time and level, whoever wrote them.

What a process wrote beside its log (a traceback of the interpreter, another program's words) stays
with the record before it.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from core.log import parsed

_READ = 4_194_304  # bytes of a file's end
#: How programs that we did not write begin a line: supervisord, NATS, Dagster. Their hours are
#: those of this process, for they run on the same machine.
BEGINS = re.compile(
    r"\D{0,8}(?:\[\d+\] )?(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d+))?"
)


class Entry(NamedTuple):
    """A line of a log, with the time and level of the record that it belongs to."""

    timestamp: str
    level: int
    process: str
    line: str


def new_entries(files: list[Path], places: dict[Path, int]) -> Iterator[Entry]:
    """What was written since the last look; a rotated file begins again."""
    for path in files:
        size = path.stat().st_size if path.exists() else 0
        begin = max(places[path], size - _READ) if size >= places[path] else 0
        text = b""
        if size > begin:
            with path.open("rb") as file:
                file.seek(begin)
                text = file.read(size - begin)
        whole = text[: text.rfind(b"\n") + 1]
        places[path] = begin + len(whole)
        yield from _entries(path.stem, whole.decode(errors="replace").splitlines())


def _entries(process: str, lines: Iterable[str]) -> Iterator[Entry]:
    timestamp, level = "", logging.INFO
    for line in lines:
        if record := parsed(line):
            timestamp = str(record.get("timestamp", timestamp))
            level = logging.getLevelNamesMapping().get(str(record.get("level")).upper(), level)
        elif begins := BEGINS.match(line):
            year, month, day, clock, fraction = begins.groups(default="0")
            timestamp = f"{year}-{month}-{day}T{clock}.{fraction:0<6}Z"
            level = logging.INFO
        yield Entry(timestamp, level, process, line)
