"""A disk that forgets: what was not synced may be lost sector by sector, in any order."""

from pathlib import Path
from random import Random
from typing import Protocol

SECTOR = 512


class Hazard(Protocol):
    """Where the process may die."""

    def __call__(self, place: str) -> None: ...


class SimulatedDisk:
    """Implements execution.journal.disk.Disk with one file that survives who writes it."""

    def __init__(self, hazard: Hazard) -> None:
        self._hazard = hazard
        self.content = bytearray()  # as the system shows it
        self.durable = bytearray()  # as a power loss leaves it

    def open(self, path: Path) -> "SimulatedDisk":
        return self

    def names(self, path: Path) -> list[str]:
        return [path.name]

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
        self.durable = bytearray(self.content)
        self._hazard("disk synced")

    def close(self) -> None:
        """The content stays."""

    def lose_power(self, rng: Random) -> int:
        """Each sector written since the last sync is kept or lost; how many were lost."""
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
