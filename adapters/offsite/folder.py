"""Backups in a folder on another disk or machine, mounted here.

The folder has to be there: one that was made because a mount is missing would fill the wrong disk.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from adapters.offsite.store import ENDING, Stored
from core import durable
from core.errors import InputError, UnavailableError

_BLOCK = 1 << 20
_UNFINISHED = ".unfinished"


class FolderStore:
    """See `adapters.offsite.store.Store`. Written beside its name, synced, then renamed."""

    def __init__(self, folder: Path, ending: str = ENDING) -> None:
        self._folder, self._ending = folder, ending

    def put(self, name: str, content: Iterable[bytes]) -> int:
        """Store it; what somebody who was killed left unfinished is removed first."""
        self._there()
        for left in self._folder.glob(f".*{_UNFINISHED}"):
            left.unlink(missing_ok=True)
        unfinished = self._folder / f".{name}{_UNFINISHED}"
        try:
            size = self._write(unfinished, content)
            durable.rename(unfinished, self._folder / name)
        except OSError as error:
            raise UnavailableError(f"{self._folder} takes no backup: {error}") from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return size

    def get(self, name: str) -> Iterator[bytes]:
        """Its blocks."""
        self._there()
        try:
            with (self._folder / name).open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        except FileNotFoundError as error:
            raise InputError(str(self._folder / name), "is no backup that is there") from error
        except OSError as error:
            raise UnavailableError(f"{self._folder / name}: {error}") from error

    def listed(self) -> list[Stored]:
        """Those with a name of a backup."""
        self._there()
        files = sorted(self._folder.glob(f"[!.]*{self._ending}"))
        return [Stored(path.name, path.stat().st_size) for path in files]

    def remove(self, name: str) -> None:
        """Its file."""
        (self._folder / name).unlink(missing_ok=True)

    def _write(self, path: Path, content: Iterable[bytes]) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags, durable.PRIVATE)
        with os.fdopen(file, "wb") as stream:
            size = sum(stream.write(block) for block in content)
            stream.flush()
            os.fsync(file)
        return size

    def _there(self) -> None:
        if not self._folder.is_dir():
            raise UnavailableError(
                f"backup.destination {self._folder} is not there: mount it, or make the folder"
            )
