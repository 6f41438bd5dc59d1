"""`tickhouse restore DIR`, or `--offsite`: bring a backup back and verify it."""

import argparse
from pathlib import Path

from adapters.clickhouse import archive
from adapters.clickhouse.client import connect
from audit import export
from cli.commands.backup import print_result
from cli.ingest.warehouse import warehouse
from cli.stack import backup_folder, offsite_home, upgrade
from cli.stack.home_lock import HomeLock
from cli.stack.running import running
from core import crashpoint
from core.errors import BusyError, InputError
from core.home_users import OWNER
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which one, and whether what is there may go."""
    parser.add_argument(
        "folder", metavar="DIR", nargs="?",
        help="what `tickhouse backup` made, or `up` before a new version",
    )  # fmt: skip
    parser.add_argument(
        "--offsite", metavar="NAME", nargs="?", const="", default=None,
        help="of backup.destination, into a bare home: the one named, or the newest",
    )  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="drop what is there now")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Restore, verify, tell."""
    if stack := running(settings.home_path):
        raise BusyError(
            f"tickhouse {stack.command} (process {stack.pid}) writes to this warehouse: stop it, "
            "restore, and start it again"
        )
    if namespace.offsite is not None:
        brought = offsite_home.bring_back(settings, namespace.offsite)
        print(f"{settings.home_path} is what {brought.name} is of: {brought.files:,} files and"
              f" {brought.rows:,} rows, compared. Start it with: tickhouse up")  # fmt: skip
        return 0
    if namespace.folder is None:
        raise InputError("restore", "name the folder of a backup, or give --offsite")
    folder = Path(namespace.folder).resolve()
    if upgrade.is_copy(folder):
        return _bring_back(namespace, settings, folder)
    archive.manifest_of(folder)  # before a server is started for nothing
    with (
        warehouse(settings, OWNER) as where,
        backup_folder.to_read(folder, settings.home_path, where.url) as near,
    ):
        manifest = archive.restore(connect(where), near, replace=namespace.replace)
        export.forget_shipped(settings.home_path)
    print_result(manifest)
    return 0


def _bring_back(namespace: argparse.Namespace, settings: Settings, folder: Path) -> int:
    """The way back from a version that took the home over."""
    crashpoint.arm_for("restore", settings.chaos.crash_at, settings.home_path / "run")
    lock = HomeLock(settings.home_path).acquire()
    try:
        copied = upgrade.bring_back(settings.home_path, folder, replace=namespace.replace)
    finally:
        lock.release()
    print(
        f"{settings.home_path} is what it was at {copied.taken_at}, of Tickhouse {copied.product}:"
        " install that version to go on with it. With this one, `tickhouse up` takes it over again."
    )
    return 0
