"""Backup and retention."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from adapters.clickhouse import archive
from audit.retention import destroy, ttl
from core.clock import SystemClock
from core.errors import InputError
from core.home_users import OWNER, SETUP
from orchestration.resources import Tickhouse

_OWN = re.compile(r"\d{8}T\d{6,12}Z")


@dg.asset(
    group_name="maintenance",
    kinds={"clickhouse"},
    description="A copy of the warehouse, proved by restoring it; older ones are removed.",
)
def backup(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Under HOME/backups, named by the time."""
    now = datetime.now(UTC)
    with tickhouse.connected(OWNER) as client:
        settings = tickhouse.settings()
        folder = settings.home_path / "backups" / now.strftime("%Y%m%dT%H%M%S%fZ")
        manifest = archive.backup(client, folder, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    removed = remove_old(folder.parent, settings.orchestration.backups_kept)
    return dg.MaterializeResult(
        metadata={
            "folder": dg.MetadataValue.path(folder),
            "tables": len(manifest.tables),
            "dagster/row_count": sum(table.rows for table in manifest.tables.values()),
            "removed": removed,
        }
    )


@dg.asset(
    group_name="maintenance",
    deps=[backup],  # what is about to go is in a copy first
    kinds={"clickhouse"},
    description="Records are kept as policies, legal holds and TICKHOUSE_WAREHOUSE__RETENTION say.",
)
def retained(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Applies TTLs, and destroys what a policy says so of; each table is a chained event."""
    clock, today = SystemClock(), datetime.now(UTC).date()
    with tickhouse.connected(SETUP) as client:
        settings = tickhouse.settings()
        changed = ttl.apply(client, settings, clock)
        done = destroy.nightly(client, settings, clock, today)
    destroyed = {one.subject: one.number for gone in done.values() for one in gone}
    return dg.MaterializeResult(metadata={"statements": changed, "destroyed": destroyed})


def remove_old(folder: Path, kept: int) -> list[str]:
    """Remove all but the newest finished backups; nothing while there is none.

    Those that the schedule made, which are named by a time. A copy that was made before an upgrade
    is the way back from it, and what a person put there is his.
    """
    if not kept:
        return []
    by_age = sorted((path for path in folder.iterdir() if _OWN.fullmatch(path.name)), reverse=True)
    finished = [path for path in by_age if _is_finished(path)][:kept]
    gone = [path for path in by_age if finished and path not in finished]
    for path in gone:
        shutil.rmtree(path)
    return [path.name for path in gone]


def _is_finished(folder: Path) -> bool:
    try:
        archive.manifest_of(folder)
    except InputError:
        return False
    return True
