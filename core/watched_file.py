"""Whether a file changed since it was read.

Asking the disk costs a third of an answer that is ready, so a process that answers many asks at
most every hundredth of a second: a key that is revoked is out that soon.
"""

import os
import time
from pathlib import Path

LOOK_S = 0.01


class WatchedFile:
    """One file. `look_s`: seconds within which the disk is not asked again; 0: each time."""

    def __init__(self, path: Path, look_s: float) -> None:
        self._path, self._look_s = path, look_s
        self._next_s = 0.0
        self._stamp: tuple[int, ...] = ()

    def has_changed(self) -> bool:
        """Whether it is another, or gone, since this said so before; one that never was is not."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._look_s
        before, self._stamp = self._stamp, _stamp(self._path)
        return self._stamp != before


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return (0,) if os.path.lexists(path) else ()  # a link to nothing is there, and unreadable
    return (status.st_mtime_ns, status.st_size, status.st_ino)
