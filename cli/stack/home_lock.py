"""One Tickhouse per home: a lock that the operating system releases, however its holder dies.

supervisord inherits the lock, so a home stays taken until its last process has drained, even
when the command that started it was killed.
"""

import os
import sys
from pathlib import Path
from typing import Self

from core import file_lock, home_version
from core.errors import BusyError, SettingsError

_LOOKED_AT_S = 0.15  # `is_taken` holds the lock for an instant


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
            SettingsError: nothing is supervised on this system.
        """
        if sys.platform == "win32":
            raise SettingsError(
                "what is supervised needs Linux or macOS; start each process by itself"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = file_lock.hold(self.path, _LOOKED_AT_S)
        if held is None:
            raise BusyError(_busy(self.path))
        self._fd = held
        home_version.begin(self.path.parents[1])
        return self

    def release(self) -> None:
        """Give the home back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def is_taken(home: Path) -> bool:
    """Whether someone holds the home at this moment. Nothing is supervised on Windows."""
    return file_lock.is_held(home / "run" / "lock")


def _busy(path: Path) -> str:
    home = path.parent.parent
    holder = file_lock.holder(path)
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
