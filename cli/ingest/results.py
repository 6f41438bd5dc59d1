"""What became of the files of an import, and how far it is."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from adapters.files.base import TickFile
from core.contracts.tick import (
    CROSSED,
    LOCKED,
    OUT_OF_ORDER,
    SAME_MILLISECOND,
)

FLAGS = {
    "crossed": CROSSED,
    "locked": LOCKED,
    "same ms": SAME_MILLISECOND,
    "out of order": OUT_OF_ORDER,
}

Progress = Callable[[str, TickFile, int], None]  # ("read" or "store", file, rows so far)


class FileResult(msgspec.Struct):
    """What became of one file."""

    path: Path
    format: str
    source: str
    symbol: str
    zone: str
    rows: int = 0
    stored: int = 0
    first_msc: int | None = None  # span of the stored ticks
    last_msc: int | None = None
    corrected: int = 0  # ticks that were stored with another content
    withdrawn: int = 0  # ticks that were stored, and a complete file lacks
    flagged: Counter[str] = msgspec.field(default_factory=Counter)  # kind -> stored ticks
    quarantined: Counter[str] = msgspec.field(default_factory=Counter)  # reason -> rows


class ImportResult(msgspec.Struct):
    """What became of all files, in the order they were given."""

    files: list[FileResult]
    skipped: list[Path]  # files in folders that are of no known format

    def beyond(self, share: float) -> list[FileResult]:
        """Files of which a larger share of rows was quarantined."""
        return [file for file in self.files if file.quarantined.total() > share * file.rows]
