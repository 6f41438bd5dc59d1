"""When compliance runs. On from the first day: a schedule that lacks something says what."""

from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from core.errors import TickhouseError
from orchestration.compliance_ready import missing_for_reports, missing_for_seals
from orchestration.partitions import firm_keys, report_key
from orchestration.resources import Tickhouse
from orchestration.schedules import still_going

_Evaluate = Callable[..., dg.RunRequest | list[dg.RunRequest] | dg.SkipReason]
_VERIFIED = dg.AssetKey("verified_trail")


def _reports(job: str, cron: str, description: str) -> dg.ScheduleDefinition:
    def evaluate(
        context: dg.ScheduleEvaluationContext, tickhouse: Tickhouse
    ) -> list[dg.RunRequest] | dg.SkipReason:
        if going := still_going(context.instance, job):
            return dg.SkipReason(f"{job} still runs ({going}); a second one would wait behind it")
        try:
            client = tickhouse.client()
            try:
                missing = missing_for_reports(client)
            finally:
                client.close()
        except TickhouseError as error:
            missing = str(error)
        return dg.SkipReason(missing) if missing else _of_firms(context)

    return _schedule(evaluate, job, cron, description)


def _audit(
    context: dg.ScheduleEvaluationContext, tickhouse: Tickhouse
) -> dg.RunRequest | dg.SkipReason:
    """Without a key nothing is sealed, but journal and warehouse are compared all the same."""
    if going := still_going(context.instance, "audit_job"):
        return dg.SkipReason(f"audit_job still runs ({going}); a second one would wait behind it")
    day = context.scheduled_execution_time.strftime("%Y-%m-%d")
    try:
        settings = tickhouse.settings()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    missing = missing_for_seals(settings)
    if not missing:
        return dg.RunRequest(run_key=day)
    context.log.warning(f"verified, not sealed: {missing}")
    return dg.RunRequest(
        run_key=f"{day} unsealed", asset_selection=[_VERIFIED], tags={"not sealed": missing[:250]}
    )


def _schedule(evaluate: _Evaluate, job: str, cron: str, description: str) -> dg.ScheduleDefinition:
    decorated: Callable[..., dg.ScheduleDefinition] = dg.schedule(
        name=f"{job.removesuffix('_job')}_schedule", job_name=job, cron_schedule=cron,
        execution_timezone="UTC", description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )  # fmt: skip
    return decorated(evaluate)


def _of_firms(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    """The UTC day that is over, of each firm."""
    day = (context.scheduled_execution_time - timedelta(days=1)).strftime("%Y-%m-%d")
    keys = [report_key(day, firm) for firm in firm_keys()]
    return [dg.RunRequest(run_key=str(key), partition_key=key) for key in keys]


def _yesterday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The UTC day that is over; once, however often the schedule is looked at."""
    day = (context.scheduled_execution_time - timedelta(days=1)).strftime("%Y-%m-%d")
    return dg.RunRequest(run_key=day, partition_key=day)


SCHEDULES = [
    _schedule(_audit, "audit_job", "30 0 * * *", "Yesterday sealed, the whole trail verified."),
    _schedule(_yesterday, "client_money_job", "20 0 * * *", "Client money, compared."),
    _reports("reports_job", "0 1 * * *", "Every daily report of the UTC day that is over."),
    _reports("quarter_job", "0 5 1 1,4,7,10 *", "The quarter's review of execution quality."),
    _reports("retention_job", "0 6 1 * *", "What the month kept, held and destroyed."),
    _reports("assessment_job", "0 4 1 1 *", "The evidence pack of the year that is over."),
]
