"""What a person says became of an order that nobody else can tell: a file per order.

`tickhouse orders settle` writes it beside the journal, also while execution is down; execution
takes it up within a fraction of a second, journals who said what, and removes it. What the venue
shows still goes before what a person says.
"""

import logging
import os
from pathlib import Path
from typing import Literal

import msgspec

_log = logging.getLogger(__name__)


class ManualResolution(msgspec.Struct, frozen=True):
    """One order's end by a person's word. `deals`: the venue's tickets when it was filled."""

    order_id: str
    outcome: Literal["absent", "filled"]
    by: str
    reason: str
    ts_us: int
    deals: tuple[int, ...] = ()


def directory_of(journal: Path) -> Path:
    """Where the settlements for a journal are."""
    return journal.parent / "settle"


def write(directory: Path, settlement: ManualResolution) -> None:
    """Whole and on disk when this returns."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{settlement.order_id}.json"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(settlement) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def waiting(directory: Path) -> list[tuple[Path, ManualResolution]]:
    """What has not been taken up yet; a file that cannot be read is logged and left."""
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            found.append((path, msgspec.json.decode(path.read_bytes(), type=ManualResolution)))
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s: %s; settle the order again", path, error)
    return found
