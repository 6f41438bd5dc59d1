"""Locks on files that die with their process: one writer, one engine, one Tickhouse per home.

The only place that locks files. What a lock protects, and what a person does about the one who
holds it, is said by who takes it; a lock file that names its holder is there for that.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import BusyError

_AGAIN_S = 0.005


def take(file: int, at: int = 0) -> bool:
    """Lock an open file; False when another process, or another opening in this one, has it.

    Closing the file gives the lock up. On Windows one byte is locked, and nobody else can read
    it: `at` says which.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, at, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def locked(path: Path, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the lock of a file, which is made when missing.

    Raises:
        BusyError: another process held it all the time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _opened(path)
    try:
        if not _take_within(file, timeout_s):
            raise BusyError(
                f"{path}: another process has held this lock for {timeout_s:g} s; end it"
            )
        yield
    finally:
        os.close(file)  # gives the lock up


def hold(path: Path, timeout_s: float = 0.0) -> int | None:
    """Lock a file and write into it who we are; the open file, or None when it is taken."""
    file = _opened(path)
    if not _take_within(file, timeout_s):
        os.close(file)
        return None
    os.ftruncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    return file


def holder(path: Path) -> int:
    """The process that holds, or last held, such a file; 0 when it does not say."""
    text = path.read_text().strip()
    return int(text) if text.isdigit() else 0


def is_held(path: Path) -> bool:
    """Whether somebody holds a lock file at this moment. On Windows nobody can tell: False."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _take_within(file: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not take(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(_AGAIN_S)
    return True
