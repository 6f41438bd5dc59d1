"""The order events of a journal with the bytes they stand in, for whoever seals and verifies.

Files are mapped, not read: a journal of a million events costs its reader no memory of its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.contracts.order import OrderEvent
from execution.journal import segments
from execution.journal.records import SegmentBegun
from execution.journal.segments import NOTHING


class PlacedEvent(NamedTuple):
    """One event and where its record begins and ends, counted over all segments."""

    event: OrderEvent
    begin: int
    end: int


def placed_events(path: Path, after: int = 0) -> Iterator[PlacedEvent]:
    """Every order event, oldest first, its chain unchecked: that is the caller's matter.

    `after`: those that end after so many bytes.

    Raises:
        JournalError: damaged other than by a cut-off write; a segment is missing.
    """
    for place in segments.walk(path, _segment_of(path, after), chained=False):
        if isinstance(place.record, OrderEvent) and place.end > after:
            yield PlacedEvent(place.record, place.offset, place.end)


def _segment_of(path: Path, offset: int) -> SegmentBegun:
    """The end of the last segment that ends before a byte."""
    for number in range(segments.sealed(path) + 1 if offset else 0, 1, -1):
        before = segments.begun(path, number)
        if before is not None and before.offset <= offset:
            return before
    return NOTHING


def journals(home: Path) -> dict[str, Path]:
    """The journals of a home by what a person calls them: live ones by account, replays by run."""
    live = {path.parent.name: path for path in sorted((home / "execution").glob("*/journal"))}
    runs = sorted((home / "runs").glob("*/journal"))
    return live | {path.parent.name: path for path in runs}
