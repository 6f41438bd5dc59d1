"""Where backups lie: a folder elsewhere, or a server of S3's API; settings choose."""

from pathlib import Path

from adapters.offsite.folder import FolderStore
from adapters.offsite.store import ENDING, RECORDS, Store
from core.errors import SettingsError
from core.sections import BackupSettings


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
        from adapters.offsite.s3 import S3Store  # whose library takes a while

        return S3Store(settings, ending, locks=ending == RECORDS)
    folder = Path(where).expanduser().resolve()
    if folder.is_relative_to(home):
        raise SettingsError(f"backup.destination {folder} is in the home, and dies with it")
    return FolderStore(folder, ending)
