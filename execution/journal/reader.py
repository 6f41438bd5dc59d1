"""The order events of a journal with the bytes they stand in, for whoever seals and verifies.

The file is mapped, not read: a journal of a million events costs its reader no memory of its own.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from core.contracts.order import OrderEvent
from execution.journal.journal import scan


class PlacedEvent(NamedTuple):
    """One event and where its record begins and ends in the file; `read` for how far it got."""

    event: OrderEvent
    begin: int
    end: int


def placed_events(path: Path) -> Iterator[PlacedEvent]:
    """Every order event, oldest first, its chain unchecked: that is the caller's matter.

    Raises:
        JournalError: damaged other than by a cut-off write.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for place in scan(cast("bytes", content), path):
            if isinstance(place.record, OrderEvent):
                yield PlacedEvent(place.record, place.offset, place.end)


def journals(home: Path) -> dict[str, Path]:
    """The journals of a home by what a person calls them: live ones by account, replays by run."""
    live = {path.parent.name: path for path in sorted((home / "execution").glob("*/journal"))}
    runs = sorted((home / "runs").glob("*/journal"))
    return live | {path.parent.name: path for path in runs}
