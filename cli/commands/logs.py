"""`tickhouse logs [PROCESS …]`: what the processes wrote, together and in order of time.

The files under `<home>/logs` are JSON, a record per line; here a person reads them. What a
process wrote beside its log (a traceback of the interpreter, another program's words) stays with
the record before it.
"""

import argparse
import logging
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError
from core.log import parsed, readable
from core.settings import Settings

_LEVELS = ("debug", "info", "warning", "error", "critical")
_READ = 4_194_304  # bytes of a file's end
_LOOK_AGAIN_S = 0.2
#: How programs that we did not write begin a line: supervisord, NATS, Dagster. Their hours are
#: those of this process, for they run on the same machine.
_BEGINS = re.compile(
    r"\D{0,8}(?:\[\d+\] )?(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d+))?"
)


class Entry(NamedTuple):
    """A line of a log, with the time and level of the record that it belongs to."""

    timestamp: str
    level: int
    process: str
    line: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose, how many, and from which level."""
    parser.add_argument("process", nargs="*", metavar="PROCESS", help="default: all of them")
    parser.add_argument("--lines", type=int, default=40, metavar="N", help="the last N")
    parser.add_argument("--level", choices=_LEVELS, default="info", help="at least this one")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what comes")
    parser.add_argument("--json", action="store_true", help="the lines as they are stored")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print them; with --follow until Ctrl-C."""
    files = _files(settings.home_path / "logs", namespace.process)
    least = logging.getLevelNamesMapping()[namespace.level.upper()]
    places = dict.fromkeys(files, 0)
    entries = sorted(_new(files, places), key=lambda entry: entry.timestamp)
    chosen = [entry for entry in entries if entry.level >= least]
    _show(chosen[-namespace.lines :] if namespace.lines > 0 else [], namespace.json)
    while namespace.follow:
        time.sleep(_LOOK_AGAIN_S)
        entries = sorted(_new(files, places), key=lambda entry: entry.timestamp)
        _show((entry for entry in entries if entry.level >= least), namespace.json)
    return 0


def _files(folder: Path, names: list[str]) -> list[Path]:
    known = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not known:
        raise InputError(str(folder), "holds no logs: `tickhouse up` writes them")
    for name in names:
        if name not in known:
            raise InputError(str(folder), f"has no log of {name}: there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _new(files: list[Path], places: dict[Path, int]) -> Iterator[Entry]:
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
        elif begins := _BEGINS.match(line):
            year, month, day, clock, fraction = begins.groups(default="0")
            timestamp = f"{year}-{month}-{day}T{clock}.{fraction:0<6}Z"
            level = logging.INFO
        yield Entry(timestamp, level, process, line)


def _show(entries: Iterable[Entry], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            print(entry.line, flush=True)
        elif parsed(entry.line):
            print(readable(entry.line, entry.process), flush=True)
        elif entry.line.strip():
            text = _BEGINS.sub("", entry.line, count=1).lstrip()
            print(f"{entry.timestamp} {entry.process}: {text}".lstrip(), flush=True)
