"""`tickhouse backup [--to DIR]`: copy the warehouse while it runs, and prove the copy."""

import argparse
import time
from pathlib import Path

from adapters.clickhouse import archive
from adapters.clickhouse.client import connect
from cli.ingest.warehouse import warehouse
from cli.stack import backup_folder
from core.home_users import OWNER
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument(
        "--to",
        metavar="DIR",
        help="a new folder, on the warehouse's machine (default: one named by the time in "
        "HOME/backups)",
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Back up, prove, tell."""
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


def print_result(manifest: archive.BackupManifest) -> None:
    """What it holds, in a line."""
    rows = sum(table.rows for table in manifest.tables.values())
    print(
        f"{len(manifest.tables)} tables, {rows:,} rows of {manifest.taken_at};"
        " counts and checksums of the restored copy agree."
    )
