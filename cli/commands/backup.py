"""`tickhouse backup [--to DIR]`: copy the warehouse while it runs, and prove the copy.

`backup offsite` sends warehouse, journal, audit log, models and settings of one moment to
`backup.destination`, encrypted; `list` shows what is there, `drill` brings one back into a bare
home beside this one and compares, `keygen FILE` makes the key.
"""

import argparse
import time
from pathlib import Path

from adapters.clickhouse import archive
from adapters.clickhouse.client import connect
from adapters.offsite import backups, sealed, select
from cli.ingest.warehouse import warehouse
from cli.stack import backup_folder, offsite_home
from core.clock import SystemClock
from core.errors import InputError
from core.home_users import OWNER
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, and where to."""
    parser.add_argument("action", nargs="?", choices=_ACTIONS, help="default: copy the warehouse")
    parser.add_argument(
        "name", nargs="?", default="", help="of `drill`: a backup; of `keygen`: FILE"
    )
    parser.add_argument(
        "--to",
        metavar="DIR",
        help="a new folder, on the warehouse's machine (default: one named by the time in "
        "HOME/backups); of `drill`: a folder with room for the bare home",
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Back up, prove, tell."""
    if namespace.action:
        return _ACTIONS[namespace.action](namespace, settings)
    now = time.gmtime()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", now)
    folder = Path(namespace.to or settings.home_path / "backups" / stamp).resolve()
    taken_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", now)
    with (
        warehouse(settings, OWNER) as where,
        backup_folder.to_fill(folder, settings.home_path, where.url) as near,
    ):
        manifest = archive.backup(connect(where), near, taken_at)
    print_result(manifest)
    print(f"In {folder}. Bring it back with: tickhouse restore {folder}")
    return 0


def _offsite(namespace: argparse.Namespace, settings: Settings) -> int:
    place = select.select(settings.backup, settings.home_path)
    with warehouse(settings, OWNER) as where:
        backup = backups.make(connect(where), settings, place, SystemClock())
    print(f"{backup.name}: {backup.files:,} files, {backup.rows:,} rows,")
    print(f"{backup.size:,} bytes, compressed and encrypted,")
    print(f"in {settings.backup.destination} after {backup.seconds:.0f} s")
    return 0


def _list(namespace: argparse.Namespace, settings: Settings) -> int:
    for one in select.select(settings.backup, settings.home_path).listed():
        print(f"{one.size:>16,}  {one.name}")
    return 0


def _drill(namespace: argparse.Namespace, settings: Settings) -> int:
    proved = offsite_home.drill(settings, namespace.name, namespace.to)
    print(f"{proved.name}: brought back into a bare home in {proved.seconds:.0f} s;")
    print(f"{proved.files:,} files and {proved.rows:,} rows are what they were.")
    return 0


def _keygen(namespace: argparse.Namespace, settings: Settings) -> int:
    path = Path(namespace.name or "tickhouse-backup.key").expanduser().resolve()
    if path.is_relative_to(settings.home_path):
        raise InputError(str(path), "is in the home, which the backups are to outlive")
    sealed.make_key(path)
    print(f"{path}: set TICKHOUSE_BACKUP__KEYFILE={path}")
    print("Keep a copy elsewhere: without it nobody reads the backups, you included.")
    return 0


_ACTIONS = {"offsite": _offsite, "list": _list, "drill": _drill, "keygen": _keygen}


def print_result(manifest: archive.BackupManifest) -> None:
    """What it holds, in a line."""
    rows = sum(table.rows for table in manifest.tables.values())
    print(
        f"{len(manifest.tables)} tables, {rows:,} rows of {manifest.taken_at};"
        " counts and checksums of the restored copy agree."
    )
