"""The files of a home as they stood at one moment, while processes go on writing them.

What was written lately, and the segment of each journal that is being written (in place, into
zeros), is copied; all else gets a second name, so that what is replaced or removed later stays as
it was, and models and sealed segments cost no space. Then everything is looked at again: when no
file is another and every copy is still what it is of, there was a moment, between the last copy and
this look, at which all of it stood so. A desk that trades has many of them each second.
"""

import filecmp
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from core.errors import UnavailableError

#: Not taken: what comes from elsewhere (the warehouse from its own backup, the bus and the flows'
#: state from it and the journal), what runs, what is read once, and copies.
LEFT_OUT = frozenset(
    {
        "backups", "warehouse", "bus", "state", "run", "logs", "dagster", "dbt", "sites", "runs",
        "demo", "upgrade.json", "offsite.json", "audit-shipped", "alerts.json", "settings",
        # Of this bus, this warehouse and this start; a home that is brought back begins anew.
        "published.json", "stored.json", "account.claim",
    }
)  # fmt: skip
_PASSING = (".lock", ".tmp", ".sending", ".tickhouse-backup")
_JOURNAL = re.compile(r"journal(\.\d{6,})?")
_LATELY_NS = 60_000_000_000
_TRIES = 200
_AGAIN_S = 0.02


class Taken(NamedTuple):
    """One file: its name in the home, where it can be read, and how long it was at the moment."""

    name: str
    path: Path
    size: int
    mode: int


Standing = dict[str, tuple[int, int, int]]  # inode, length, time of the last change, by name


@contextmanager
def files_of_one_moment(home: Path, beside: Path) -> Iterator[list[Taken]]:
    """All files of a home but those left out, at one moment; readable while the block runs.

    Args:
        beside: a folder that can be made, on the home's disk.

    Raises:
        UnavailableError: the home never stood still, for seconds.
    """
    try:
        yield _taken(home, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _taken(home: Path, beside: Path) -> list[Taken]:
    for _ in range(_TRIES):
        shutil.rmtree(beside, ignore_errors=True)
        with suppress(FileNotFoundError):  # one of them was removed meanwhile
            before = _standing(home)
            copied = _second_names(home, beside, before)
            if _standing(home) == before and all(_is_same(home / n, beside / n) for n in copied):
                return [_of(beside, name, size) for name, (_, size, _) in sorted(before.items())]
        time.sleep(_AGAIN_S)
    raise UnavailableError(f"{home} did not stand still for a moment: try again later")


def _of(beside: Path, name: str, size: int) -> Taken:
    path = beside / name
    return Taken(f"home/{name}", path, size, stat.S_IMODE(path.stat().st_mode))


def _standing(home: Path) -> Standing:
    """Every file that says something: no locks, no sockets, nothing that is being written."""
    files = Standing()
    for entry in home.iterdir():
        for path in _of_entry(entry):
            status = path.stat()
            name = path.relative_to(home).as_posix()
            files[name] = status.st_ino, status.st_size, status.st_mtime_ns
    return files


def _of_entry(entry: Path) -> Iterator[Path]:
    if entry.name not in LEFT_OUT:
        for path in entry.rglob("*") if entry.is_dir() else [entry]:
            passing = path.name.endswith(_PASSING) or path.name in LEFT_OUT
            if not passing and path.is_file() and not path.is_symlink():
                yield path


def _second_names(home: Path, beside: Path, files: Standing) -> list[str]:
    """A second name for each file, or a copy; names of what was copied."""
    copied, since_ns = list[str](), time.time_ns() - _LATELY_NS
    written = _written(files)
    for name, (_, _, changed_ns) in files.items():
        target = beside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in written or changed_ns > since_ns or not _linked(home / name, target):
            shutil.copy2(home / name, target)
            copied.append(name)
    return copied


def _written(files: Standing) -> set[str]:
    """The newest segment of each journal."""
    newest = dict[str, str]()
    for name in files:
        folder, _, file = name.rpartition("/")
        if _JOURNAL.fullmatch(file):
            newest[folder] = max(newest.get(folder, ""), file, key=lambda n: (len(n), n))
    return {f"{folder}/{file}" for folder, file in newest.items()}


def _linked(path: Path, target: Path) -> bool:
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without second names
        return False
    return True


def _is_same(path: Path, copy: Path) -> bool:
    return filecmp.cmp(path, copy, shallow=False)
