"""`tickhouse logs [PROCESS …]`: what the processes wrote, together and in order of time.

The files under `<home>/logs` are JSON, a record per line; here a person reads them.
"""

import argparse
import logging
import time
from collections.abc import Iterable
from pathlib import Path

from cli.diagnostics.log_entries import BEGINS, Entry, new_entries
from core.errors import InputError
from core.log import parsed, readable
from core.settings import Settings

_LEVELS = ("debug", "info", "warning", "error", "critical")
_LOOK_AGAIN_S = 0.2


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
    entries = sorted(new_entries(files, places), key=lambda entry: entry.timestamp)
    chosen = [entry for entry in entries if entry.level >= least]
    _show(chosen[-namespace.lines :] if namespace.lines > 0 else [], namespace.json)
    while namespace.follow:
        time.sleep(_LOOK_AGAIN_S)
        entries = sorted(new_entries(files, places), key=lambda entry: entry.timestamp)
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


def _show(entries: Iterable[Entry], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            print(entry.line, flush=True)
        elif parsed(entry.line):
            print(readable(entry.line, entry.process), flush=True)
        elif entry.line.strip():
            text = BEGINS.sub("", entry.line, count=1).lstrip()
            print(f"{entry.timestamp} {entry.process}: {text}".lstrip(), flush=True)
