"""A backup that leaves the host, when the newest is older than `backup.every_hours`."""

import dagster as dg

from adapters.offsite import backups, select
from adapters.offsite.note import read_note
from core import settings as product
from core.clock import SystemClock
from core.errors import TickhouseError
from core.home_users import OWNER
from orchestration.resources import Tickhouse
from orchestration.schedules import still_going

_JOB = "offsite_job"
_HOUR_US = 3_600_000_000


@dg.asset(
    group_name="offsite",
    kinds={"clickhouse"},
    description="Warehouse, journal, models and settings of one moment, encrypted, elsewhere.",
)
def offsite_backup(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Where TICKHOUSE_BACKUP__DESTINATION says."""
    with tickhouse.connected(OWNER) as client:
        settings = tickhouse.settings()
        place = select.select(settings.backup, settings.home_path)
        backup = backups.make(client, settings, place, SystemClock())
    return dg.MaterializeResult(
        metadata={
            "name": backup.name,
            "bytes": backup.size,
            "files": backup.files,
            "dagster/row_count": backup.rows,
            "seconds": backup.seconds,
        }
    )


offsite_job = dg.define_asset_job(
    _JOB,
    dg.AssetSelection.groups("offsite"),
    description="A backup that leaves the host.",
)


@dg.sensor(
    name="offsite_sensor",
    job_name=_JOB,
    description="Starts a backup that leaves the host when the newest is too old.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def offsite_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run when it is due; after one that failed the next an hour later."""
    try:
        settings = product.load()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    if not settings.backup.destination:
        return dg.SkipReason("backup.destination is not set: no backup leaves this host")
    if going := still_going(context.instance, _JOB):
        return dg.SkipReason(f"{_JOB} still runs ({going})")
    note, now_us = read_note(settings.home_path), SystemClock().now_us()
    made_us = note.newest.ts_us if note.newest else 0
    due_us = max(made_us + round(settings.backup.every_hours * _HOUR_US), note.failed_us + _HOUR_US)
    if now_us < due_us:
        return dg.SkipReason(f"the next is due in {(due_us - now_us) / _HOUR_US:.1f} hours")
    return dg.RunRequest(run_key=str(max(made_us, note.failed_us)))
