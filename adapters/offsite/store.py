"""Where backups lie: a folder elsewhere, or a server of S3's API; settings choose."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from core.errors import SettingsError
from core.sections import BackupSettings


class Stored(NamedTuple):
    """One backup there."""

    name: str
    size: int  # bytes


class Store(Protocol):
    """Backups by name. Whoever lists sees whole ones alone: `put` shows a name when all is there,
    or never.

    Every method raises UnavailableError when the place does not answer or is full, InputError for
    what is not there. Errors name the place, never a password.
    """

    def put(self, name: str, content: Iterable[bytes]) -> int:
        """Store a stream under a new name; bytes stored. What `content` raises is passed on."""

    def get(self, name: str) -> Iterator[bytes]:
        """The stream of a name, in blocks."""

    def listed(self) -> list[Stored]:
        """All backups, by name; other files are left out."""

    def remove(self, name: str) -> None:
        """Forget one; that it is gone already is no error."""


ENDING = ".tickhouse-backup"
RECORDS = ".tickhouse-records"  # sealed exports, which nobody thins


def select(settings: BackupSettings, home: Path, ending: str = ENDING) -> Store:
    """The place that settings name, for what is called so.

    Raises:
        SettingsError: none is named, or it is in the home, which it is to outlive.
    """
    where = settings.destination
    if not where:
        raise SettingsError(
            "backup.destination is not set: name a folder on another disk, or s3://bucket/prefix"
        )
    if where.startswith("s3://"):
        from adapters.offsite.s3 import S3Store

        return S3Store(settings, ending, locks=ending == RECORDS)
    from adapters.offsite.folder import FolderStore

    folder = Path(where).expanduser().resolve()
    if folder.is_relative_to(home):
        raise SettingsError(f"backup.destination {folder} is in the home, and dies with it")
    return FolderStore(folder, ending)
