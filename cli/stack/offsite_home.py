"""A bare home becomes what an offsite backup is of; a drill does so beside the home and compares.

First everything is fetched and proved in a folder of its own, then the files are moved, then the
warehouse is restored from its part: whoever is killed in between empties the home and begins again.
"""

import shutil
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

from adapters.clickhouse import archive
from adapters.clickhouse.client import connect
from adapters.offsite import backups, select
from adapters.offsite.note import Backup
from audit import export
from cli.ingest.warehouse import warehouse
from core import credentials
from core.clock import SystemClock
from core.errors import BusyError
from core.home_users import OWNER
from core.sections import ClickhouseSettings
from core.settings import Settings
from execution.journal import witness
from execution.journal.journal import Journal

#: What a home may have that nothing was done in yet.
_BARE = {"run", "logs", "backups", "credentials", "offsite.lock"}


def bring_back(settings: Settings, name: str = "") -> Backup:
    """Make the settings' home, which is bare, what a backup is of: the one named, or the newest.

    Raises:
        BusyError: the home is in use.
        InputError: another key, cut off, changed; nothing was touched.
        UnavailableError: the destination does not answer.
    """
    home, begun = settings.home_path, time.monotonic()
    entries = {path.name for path in home.iterdir()} if home.is_dir() else set()
    if left := sorted(entries - _BARE):
        raise BusyError(f"{home} is not bare, it has {', '.join(left[:5])}: name another home")
    place = select.select(settings.backup, home)
    chosen = backups.newest(place, name)
    staging = home / "backups" / f"fetched-{chosen.name.partition('.')[0]}"
    shutil.rmtree(staging, ignore_errors=True)
    manifest = backups.fetch(place, chosen.name, backups.key_of(settings.backup, home), staging)
    try:
        _move(staging / "home", home)
        with warehouse(settings, OWNER) as where:
            tables = archive.restore(connect(where), staging / "warehouse").tables
        export.forget_shipped(home)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _compare_journals(home)
    rows, now_us = sum(table.rows for table in tables.values()), SystemClock().now_us()
    return Backup(
        "drill", chosen.name, now_us, chosen.size, len(manifest.files), rows,
        time.monotonic() - begun,
    )  # fmt: skip


def drill(settings: Settings, name: str, beside: str | None) -> Backup:
    """Bring a backup back into a bare home that is removed again; the home's note says so.

    Args:
        beside: folder with room for it; None: where this machine keeps temporary files.

    Raises:
        TickhouseError: as `bring_back`.
    """
    with tempfile.TemporaryDirectory(prefix="tickhouse-drill-", dir=beside) as folder:
        bare = Path(folder) / "home"
        own = ClickhouseSettings(credentials=str(credentials.directory_of(bare)))
        proved = bring_back(replace(settings, home=str(bare), clickhouse=own), name)
    backups.note_drill(settings.home_path, proved)
    return proved


def _move(source: Path, home: Path) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in sorted(source.iterdir()) if source.is_dir() else []:
        there = home / path.name
        if there.is_dir():  # secrets that were made a moment ago
            shutil.rmtree(there)
        path.rename(there)


def _compare_journals(home: Path) -> None:
    """Each is opened as execution opens it: every record is read, none that was witnessed lacks.

    Raises:
        JournalError: it is damaged, or shorter than its witness says.
    """
    for path in sorted((home / "execution").glob("*/journal")):
        witnessed = witness.read(witness.path_in(home, path.parent.name))
        Journal(path, witnessed=witnessed).close()
