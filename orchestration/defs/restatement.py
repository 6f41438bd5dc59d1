"""What follows from corrections, by itself: a sensor sees what is pending, a run works it off."""

import hashlib
from typing import Any

import dagster as dg

from core.clock import SystemClock
from core.errors import TickhouseError
from orchestration.resources import Tickhouse
from orchestration.restatement import rows
from orchestration.restatement.run import restate
from orchestration.restatement.work import Desk
from orchestration.schedules import still_going
from orchestration.tables import table
from quality.check_result import blocked_days

_JOB = "restatement_job"


@dg.asset(
    group_name="restatement",
    pool="dbt",
    description="Checks, marts and reports of days whose ticks were corrected, before and after.",
)
def restated_days(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """The same as `tickhouse restate`; fails with what could not be restated."""
    with tickhouse.connected() as client:
        before = rows.due(client)
        problems = restate(Desk(tickhouse.settings(), client, SystemClock(), "dagster"))
        left = {one.key for one in rows.due(client)}
    if problems:
        raise dg.Failure("\n".join(problems), allow_retries=False)
    done = [one for one in before if one.key not in left]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(done),
            "restated": table(
                ("day", "feed", "what", "correction"),
                [
                    (one.trading_day, f"{one.source}.{one.symbol}", one.what, one.correction_id)
                    for one in done
                ],
            ),
        }
    )


restatement_job = dg.define_asset_job(_JOB, dg.AssetSelection.assets(restated_days))


@dg.sensor(
    name="restatement_sensor",
    job_name=_JOB,
    description="Starts a restatement when ticks or a statement were corrected.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def restatement_sensor(
    context: dg.SensorEvaluationContext, tickhouse: Tickhouse
) -> dg.RunRequest | dg.SkipReason:
    """One run for all that is pending; what one could not do is tried again the next day."""
    if going := still_going(context.instance, _JOB):
        return dg.SkipReason(f"{_JOB} still runs ({going})")
    try:
        client = tickhouse.client()
        try:
            due, blocked = rows.due(client), blocked_days(client)
        finally:
            client.close()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    if not due:
        return dg.SkipReason("nothing was corrected since")
    today = SystemClock().now_us() // 86_400_000_000
    return dg.RunRequest(run_key=_digest([[one.key for one in due], blocked, today]))


def _digest(what: Any) -> str:
    """The same work in the same circumstances is asked for once."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]
