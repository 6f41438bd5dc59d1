"""What a person says became of an order that nobody else can tell: a file per order.

`tickhouse orders settle` writes it beside the journal, also while execution is down; execution
takes it up within a fraction of a second, journals who said what, and removes it. What the venue
shows still goes before what a person says.
"""

import logging
from pathlib import Path
from typing import Literal

import msgspec

from core import durable

_log = logging.getLogger(__name__)


class ManualResolution(msgspec.Struct, frozen=True):
    """How an order ended, as a person states it. `deals`: the venue's tickets of a filled one."""

    order_id: str
    outcome: Literal["absent", "filled"]
    by: str
    reason: str
    ts_us: int
    deals: tuple[int, ...] = ()


def directory_of(journal: Path) -> Path:
    """Where the manual resolutions for a journal are."""
    return journal.parent / "settle"


def write(directory: Path, resolution: ManualResolution) -> None:
    """Whole and on disk when this returns."""
    path = directory / f"{resolution.order_id}.json"
    durable.write(path, msgspec.json.encode(resolution) + b"\n")


def waiting(directory: Path) -> list[tuple[Path, ManualResolution]]:
    """What has not been taken up yet; a file that cannot be read is logged and left."""
    resolutions = []
    for path in sorted(directory.glob("*.json")):
        try:
            resolutions.append(
                (path, msgspec.json.decode(path.read_bytes(), type=ManualResolution))
            )
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("%s: %s; settle the order again", path, error)
    return resolutions
