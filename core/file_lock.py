"""A lock on a file that waits, and that dies with its process: one writer at a time."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import BusyError

_AGAIN_S = 0.005


@contextmanager
def locked(path: Path, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the lock of a file, which is made when missing.

    Raises:
        BusyError: another process held it all the time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + timeout_s
        while not _take(file):
            if time.monotonic() > deadline:
                raise BusyError(
                    f"{path}: another process has held this lock for {timeout_s:g} s; end it"
                )
            time.sleep(_AGAIN_S)
        yield
    finally:
        os.close(file)  # gives the lock up


def _take(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
