"""A disk that forgets: what was not synced may be lost sector by sector, in any order.

A file that was made and never synced whole may be lost with all that is in it.
"""

from pathlib import Path
from random import Random
from typing import Protocol

SECTOR = 512


class Hazard(Protocol):
    """Where the process may die."""

    def __call__(self, place: str) -> None: ...


class SimulatedDisk:
    """Implements execution.journal.disk.Disk; its files survive who writes them."""

    def __init__(self, hazard: Hazard) -> None:
        self._hazard = hazard
        self._files: dict[str, SimulatedFile] = {}

    @property
    def durable(self) -> bytes:
        """All that a power loss leaves, oldest file first."""
        return b"".join(bytes(file.durable) for _, file in sorted(self._files.items()))

    def open(self, path: Path) -> "SimulatedFile":
        return self._files.setdefault(path.name, SimulatedFile(self._hazard))

    def names(self, path: Path) -> list[str]:
        return [name for name in self._files if name.startswith(path.name)] or [path.name]

    def content(self, path: Path) -> bytes:
        return self._files[path.name].read()

    def remove(self, path: Path) -> None:
        self._files.pop(path.name, None)

    def lay_out(self, folder: Path) -> None:
        """Put the files into a real folder as the system shows them, for who reads no other."""
        for name, file in self._files.items():
            path = folder / name
            if not path.exists() or path.read_bytes() != file.content:
                path.write_bytes(file.content)
        for path in folder.glob("journal.??????"):
            if path.name not in self._files:
                path.unlink()

    def lose_power(self, rng: Random) -> int:
        """Each sector written since the last sync is kept or lost; how many were lost."""
        lost = 0
        for number, name in enumerate(sorted(self._files)):
            file = self._files[name]
            if number and not file.named and rng.random() < 0.5:
                del self._files[name]
                continue
            file.named = True
            lost += file.lose_power(rng)
        return lost


class SimulatedFile:
    """Implements execution.journal.disk.File.

    Attributes:
        content: as the system shows it.
        durable: as a power loss leaves it.
        named: whether its name is on disk, too.
    """

    def __init__(self, hazard: Hazard) -> None:
        self._hazard = hazard
        self.content, self.durable, self.named = bytearray(), bytearray(), False

    def read(self) -> bytes:
        return bytes(self.content)

    def write(self, data: bytes, offset: int) -> None:
        self._hazard("disk write")
        end = offset + len(data)
        if end > len(self.content):
            self.content.extend(bytes(end - len(self.content)))
        self.content[offset:end] = data
        self._hazard("disk written")

    def sync(self, *, whole: bool = False) -> None:
        self._hazard("disk sync")
        self.durable, self.named = bytearray(self.content), self.named or whole
        self._hazard("disk synced")

    def close(self) -> None:
        """The content stays."""

    def lose_power(self, rng: Random) -> int:
        kept = bytearray(self.durable)
        if rng.random() < 0.7:  # the size may be lost with the rest
            kept.extend(bytes(len(self.content) - len(kept)))
        lost = 0
        for start in range(0, len(kept), SECTOR):
            now = self.content[start : start + SECTOR][: len(kept) - start]
            if kept[start : start + SECTOR] != now:
                if rng.random() < 0.5:
                    kept[start : start + SECTOR] = now
                else:
                    lost += 1
        self.content, self.durable = kept, bytearray(kept)
        return lost
