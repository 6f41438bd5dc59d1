"""When; what is run stands in defs. A trading day ends at 17:00 New York."""

import dagster as dg

from orchestration.partitions import TRADING_DAYS

_ZONE = "America/New_York"

marts_job = dg.define_asset_job("marts_job", dg.AssetSelection.groups("marts"))
data_checks_job = dg.define_asset_job(
    "data_checks_job", dg.AssetSelection.assets("data_checks"), partitions_def=TRADING_DAYS
)
bars_job = dg.define_asset_job("bars_job", dg.AssetSelection.assets("bar_reconciliation"))
training_job = dg.define_asset_job("training_job", dg.AssetSelection.groups("training"))
maintenance_job = dg.define_asset_job("maintenance_job", dg.AssetSelection.groups("maintenance"))


@dg.schedule(job=data_checks_job, cron_schedule="10 17 * * *", execution_timezone=_ZONE)
def data_checks_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The day that has just ended; once, however often the schedule is looked at."""
    day = context.scheduled_execution_time.strftime("%Y-%m-%d")
    return dg.RunRequest(run_key=day, partition_key=day)


SCHEDULES = [
    data_checks_schedule,
    dg.ScheduleDefinition(job=marts_job, cron_schedule="20 17 * * *", execution_timezone=_ZONE),
    dg.ScheduleDefinition(job=bars_job, cron_schedule="40 17 * * *", execution_timezone=_ZONE),
    dg.ScheduleDefinition(job=training_job, cron_schedule="0 19 * * *", execution_timezone=_ZONE),
    dg.ScheduleDefinition(job=maintenance_job, cron_schedule="0 3 * * *", execution_timezone=_ZONE),
]
JOBS = [marts_job, data_checks_job, bars_job, training_job, maintenance_job]
