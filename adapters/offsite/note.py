"""`<home>/offsite.json`: what a home knows of its backups, also with everything else away.

Apart from what makes backups, for `tickhouse status` needs neither encryption nor S3's client.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from core import checked_json, durable

_NOTE = "offsite.json"


class Backup(msgspec.Struct, frozen=True):
    """One that was made, or restored for proof."""

    kind: str  # backup, or drill
    name: str
    ts_us: int  # when it was made, or the drill was through
    size: int  # bytes as stored
    files: int
    rows: int
    seconds: float


class Note(msgspec.Struct):
    """What this home knows of its backups. `failed`: why the newest attempt came to nothing."""

    newest: Backup | None = None
    drilled: Backup | None = None
    failed: str = ""
    failed_us: int = 0


def read_note(home: Path) -> Note:
    """What is known; nothing of a home that never made one."""
    with suppress(OSError, msgspec.DecodeError):
        return checked_json.read(home / _NOTE, Note)
    return Note()


def write_note(home: Path, note: Note) -> None:
    """Keep it; on a full disk not, and the backup is made all the same."""
    with suppress(OSError):
        durable.write(home / _NOTE, checked_json.encode(note), durable.PRIVATE)
