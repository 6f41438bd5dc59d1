"""Segments in a world: in some seeds the journal goes on in small ones, and starts fold snapshots.

A snapshot is made beside the process, at any time after a segment was sealed; the process may die
before it, after it, and before the witness has seen it. Whatever a start began with, it must know
what all records together say.
"""

from random import Random
from typing import TYPE_CHECKING

from execution.journal import segments, snapshots
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.segments import NOTHING
from execution.journal.snapshot import Snapshot
from execution.journal.space import Room

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.3  # of all seeds
_SIGNALS = 200  # more than a world has
WHOLE, SMALL = 32_768, 8_192  # bytes of a segment


class Rotation:
    """Segments and snapshots of a world's journal."""

    def __init__(self, world: "World") -> None:
        self._world, self._rng = world, Random(f"rotation {world.seed}")
        self.on = self._rng.random() < _SHARE
        self.size = SMALL if self.on else WHOLE
        self._kept = self._rng.choice((1_000, 4_000, 7_000))
        self.digest = ""  # of the snapshot that the witness saw
        self._folded = 0
        self.from_snapshots = 0  # starts

    def since(self) -> Snapshot | None:
        """What a start begins with."""
        if not self.on:
            return None
        self._world.disk.lay_out(self._world.home)
        known = snapshots.at_start(self._world.home / "journal", self.digest)
        self.from_snapshots += known is not None
        return known

    def room(self, journal: Journal) -> Room | None:
        """Who begins segments."""
        return _Endless(journal, self._world.timer, self._kept) if self.on else None

    def keep(self) -> None:
        """Make the next snapshot, sometimes; see execution.journal.keeper."""
        journal, path = self._world.journal, self._world.home / "journal"
        if journal is None or not self.on or journal.sealed.segment <= self._folded:
            return
        if self._rng.random() < 0.3:
            return
        self._world.hazard("snapshot")
        self._world.disk.lay_out(self._world.home)
        made = snapshots.fold_sealed(path, snapshots.believed(path, self.digest))
        self._folded = journal.sealed.segment
        self._world.hazard("snapshot made")
        self.digest = made or self.digest
        self._world.hazard("snapshot witnessed")
        snapshots.forget(path, self._folded)

    def difference(self, book: Book) -> str:
        """What a start knows otherwise than a fold of all records does; "" for nothing."""
        if not self.on:
            return ""
        path, whole = self._world.home / "journal", Book()
        self._world.disk.lay_out(self._world.home)
        for place in segments.walk(path, NOTHING):
            whole.apply(place.record)
        for name in ("positions", "unsettled", "last", "lease", "latest_us"):
            if getattr(book, name) != getattr(whole, name):
                return f"{name}: {getattr(book, name)}, all records say {getattr(whole, name)}"
        signals = (f"s{number}" for number in range(1, _SIGNALS))
        forgotten = {s for s in signals if book.received(s) != whole.received(s)}
        return f"received {forgotten}" if forgotten else ""


class _Endless(Room):
    """On a disk that is never full."""

    def free_mib(self) -> float:
        return 1e9
