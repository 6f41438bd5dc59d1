"""The marts of what was traded, built while the day goes on: the daily build comes when it is over.

Without checks and data tests, which judge a whole day; the daily run builds the same again with
them. Nothing is filled while no order came, while a correction is pending (its own run notes what
each mart said before), or for longer than a twentieth of the time.
"""

import dagster as dg

from adapters.clickhouse import traded_marts
from core.clock import SystemClock
from core.errors import TickhouseError
from core.file_lock import locked
from core.home_users import DBT
from orchestration.defs.transform import POOL
from orchestration.resources import Tickhouse
from orchestration.restatement import rows
from orchestration.schedules import still_going

_JOB = "intraday_job"
_OTHERS = (_JOB, "daily_job", "marts_job", "restatement_job")
_SHARE = 20  # a build rests so many times as long as it took
_NEWEST = """
SELECT toUnixTimestamp64Micro(max(ts_init)) FROM order_event WHERE mode = {mode:String}
"""


@dg.asset(
    group_name="marts",
    pool=POOL,
    description="Trades, orders, profit and execution quality of today so far: the models tagged"
    " intraday. The same marts are assets of their own, of whole days.",
)
def intraday_marts(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Filled from dbt's models, without dbt."""
    settings = tickhouse.settings()
    lock = settings.home_path / "dbt.lock"
    with tickhouse.connected(DBT) as client, locked(lock, timeout_s=600):
        rows_of = traded_marts.fill(client, settings.marts_mode)
    return dg.MaterializeResult(metadata={**rows_of})


intraday_job = dg.define_asset_job(
    _JOB,
    dg.AssetSelection.assets(intraday_marts),
    description="Marts of what was traded, of today so far.",
)


@dg.sensor(
    name="intraday_sensor",
    job_name=_JOB,
    description="Builds the marts of what was traded when orders came since.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def intraday_sensor(
    context: dg.SensorEvaluationContext, tickhouse: Tickhouse
) -> dg.RunRequest | dg.SkipReason:
    """One run for all orders since the last; at most every `orchestration.intraday_s`."""
    try:
        settings = tickhouse.settings()
        if settings.clickhouse.cluster:
            return dg.SkipReason("a cluster's marts are built after the trading day")
        if reason := _rests(context.instance, settings.orchestration.intraday_s):
            return dg.SkipReason(reason)
        client = tickhouse.client()
        try:
            mode = {"mode": settings.marts_mode}
            newest_us = int(client.query(_NEWEST, parameters=mode).result_rows[0][0])
            due = rows.due(client, "mart")
        finally:
            client.close()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    if due:
        return dg.SkipReason("a correction is pending, which builds all marts")
    if newest_us <= int(context.cursor or 0):
        return dg.SkipReason("no order since")
    context.update_cursor(str(newest_us))
    return dg.RunRequest(run_key=str(newest_us))


def _rests(instance: dg.DagsterInstance, every_s: float) -> str:
    """Why nothing is built now, whatever came; empty: something may be."""
    if not every_s:
        return "orchestration.intraday_s is 0: marts are built after the trading day"
    for job in _OTHERS:
        if going := still_going(instance, job):
            return f"{job} still runs ({going})"
    for last in instance.get_run_records(dg.RunsFilter(job_name=_JOB), limit=1):
        begun_s, ended_s = last.start_time or 0.0, last.end_time or 0.0
        again_s = begun_s + max(every_s, _SHARE * (ended_s - begun_s))
        left_s = again_s - SystemClock().now_us() / 1e6
        if 0 < left_s <= again_s - begun_s:  # more: the clock was set back
            return f"built lately; again in {left_s:.0f} s"
    return ""
