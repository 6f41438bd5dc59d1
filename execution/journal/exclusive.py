"""A lock on an open file that dies with its process: one journal, one writer, on any system."""

import os
import sys


def lock(file: int) -> bool:
    """Take the lock; False when another process (or another opening in this one) holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, 1 << 40, os.SEEK_SET)  # a byte nobody writes: locks bar reading there
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
