"""One Tickhouse per home: a lock that the operating system releases, however its holder dies.

supervisord inherits the lock, so a home stays taken until its last process has drained, even
when the command that started it was killed.
"""

import os
import sys
import time
from pathlib import Path
from typing import Self

from core.errors import BusyError, SettingsError


class HomeLock:
    """The lock on a home, held between `acquire` and `release`."""

    def __init__(self, home: Path) -> None:
        self.path = home / "run" / "lock"
        self._fd = -1

    @property
    def fd(self) -> int:
        """The locked file, to be inherited by those who shall hold it too."""
        return self._fd

    def acquire(self) -> Self:
        """Take the home.

        Raises:
            BusyError: another process holds it; the message says which and what to do.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(fd):
            os.close(fd)
            raise BusyError(_busy(self.path))
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        self._fd = fd
        return self

    def release(self) -> None:
        """Give the home back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def is_taken(home: Path) -> bool:
    """Whether someone holds the home at this moment. Nothing is supervised on Windows."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fd = os.open(home / "run" / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _lock(fd: int) -> bool:
    if sys.platform == "win32":
        raise SettingsError("what is supervised needs Linux or macOS; start each process by itself")
    import fcntl

    for _ in range(3):  # `is_taken` holds the lock for an instant
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _busy(path: Path) -> str:
    home = path.parent.parent
    text = path.read_text().strip()
    holder = int(text) if text.isdigit() else 0
    if holder and not _alive(holder):
        return (
            f"{home} is in use: Tickhouse (process {holder}) was killed and its processes are"
            " still stopping. Try again in a minute."
        )
    return (
        f"{home} is in use by another Tickhouse (process {holder or 'unknown'}). Look at it with"
        f" `tickhouse status`, stop it with Ctrl-C in its terminal or `kill {holder or 'PID'}`,"
        " or choose another home with TICKHOUSE_HOME."
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
