"""Where the journal keeps its bytes: a file of this machine, or a simulated disk that forgets.

The journal decides what is written and when it is synced; a file only does so. Until `sync`
returns, a power loss may keep any of the 512-byte sectors written since the last one.
"""

import os
from pathlib import Path
from typing import Protocol

from core import file_lock
from core.errors import JournalError

_sync = getattr(os, "fdatasync", os.fsync)
_UNREAD = 1 << 40  # a byte nobody writes


class File(Protocol):
    """One open file with one writer."""

    def read(self) -> bytes:
        """All of it."""
        ...

    def write(self, data: bytes, offset: int) -> None:
        """Write all of `data` at an offset; survives this process, not yet a power loss."""
        ...

    def sync(self, *, whole: bool = False) -> None:
        """On disk when this returns; `whole`: its size and its directory's entry too."""
        ...

    def close(self) -> None:
        """Give up the file and its lock."""
        ...


class Disk(Protocol):
    """Opens files."""

    def open(self, path: Path) -> File:
        """Open for reading and writing; made when missing.

        Raises:
            JournalError: another process has it open; it is no file of its own.
        """
        ...

    def names(self, path: Path) -> list[str]:
        """The files in its folder whose names begin with a file's."""
        ...

    def content(self, path: Path) -> bytes:
        """Of a file that nobody writes any more, without opening it for oneself."""
        ...

    def remove(self, path: Path) -> None:
        """Take a file away that holds nothing."""
        ...


class MachineDisk:
    """Implements Disk on this machine's file system."""

    def open(self, path: Path) -> "MachineFile":
        """See Disk; missing directories are made too."""
        return MachineFile(path)

    def names(self, path: Path) -> list[str]:
        """See Disk."""
        return [beside.name for beside in path.parent.glob(path.name + "*")]

    def content(self, path: Path) -> bytes:
        """See Disk."""
        return path.read_bytes()

    def remove(self, path: Path) -> None:
        """See Disk."""
        path.unlink(missing_ok=True)


class MachineFile:
    """Implements File."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        if path.is_symlink() or path.is_dir():
            raise JournalError(
                f"{path} is a link or a folder, and a journal is a file of its own: put the file"
                " back, from where the link leads or from a backup"
            )
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        if not file_lock.take(self._file, at=_UNREAD):
            os.close(self._file)
            raise JournalError(
                f"{path}: in use; stop the other execution process, or choose another home"
            )

    def read(self) -> bytes:
        """See File."""
        return self._path.read_bytes()

    def write(self, data: bytes, offset: int) -> None:
        """See File."""
        if hasattr(os, "pwrite"):
            while data:
                written = os.pwrite(self._file, data, offset)
                data, offset = data[written:], offset + written
            return
        os.lseek(self._file, offset, os.SEEK_SET)  # Windows has no pwrite
        while data:
            data = data[os.write(self._file, data) :]

    def sync(self, *, whole: bool = False) -> None:
        """See File."""
        if not whole:
            _sync(self._file)
            return
        os.fsync(self._file)
        if os.name == "posix":  # elsewhere a directory cannot be opened, and need not be
            handle = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

    def close(self) -> None:
        """See File."""
        os.close(self._file)


MACHINE = MachineDisk()
