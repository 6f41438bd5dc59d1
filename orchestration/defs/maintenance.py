"""Backup and retention."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from adapters.clickhouse import archive
from audit.clients import register as registers
from audit.clients import state
from audit.privacy.vault import Vault
from audit.retention import destroy, ttl
from core import settings as product
from core.clock import SystemClock
from core.errors import InputError
from core.home_users import OWNER, SETUP
from orchestration.resources import Tickhouse, plain_failures

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


@dg.asset(
    group_name="clients",
    description="Every client's file checked against the vault, and published for execution.",
)
def client_files() -> dg.MaterializeResult:
    """What counts 48 hours, also while no warehouse answers; without clients there is nothing."""
    settings, clock = product.load(), SystemClock()
    if not settings.privacy.vault or not registers.register(settings.home_path).clients:
        return dg.MaterializeResult(metadata={"checked": "nothing: there is no client"})
    with plain_failures():
        files = state.publish(settings, Vault(settings, clock, "dagster"), clock, "dagster")
    now = clock.now_us()
    lacking = {file.client: file.lacking(now) for file in files.clients if file.lacking(now)}
    return dg.MaterializeResult(
        metadata={"version": files.version, "clients": len(files.clients), "lacking": lacking}
    )


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
