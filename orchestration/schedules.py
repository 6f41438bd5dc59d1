"""When; what is run stands in jobs. A trading day ends at 17:00 New York.

A schedule whose run before still goes does not start another: it says so and waits for its next
time. What a day missed, the next daily run makes up, for it builds every day that changed.
"""

from collections.abc import Callable

import dagster as dg

_ZONE = "America/New_York"
_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def still_going(instance: dg.DagsterInstance, job: str) -> str | None:
    """The run of a job that has not ended."""
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_GOING), limit=1)
    return runs[0].run_id if runs else None


def _schedule(
    job: str, cron: str, description: str, partitioned: bool = False, key: str = "%Y-%m-%d"
) -> dg.ScheduleDefinition:
    """`key`: of a run; a time with the key of an earlier one starts nothing."""

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if going := still_going(context.instance, job):
            return dg.SkipReason(f"{job} still runs ({going}); a second one would wait behind it")
        due = context.scheduled_execution_time
        day = due.strftime("%Y-%m-%d")
        return dg.RunRequest(run_key=due.strftime(key), partition_key=day if partitioned else None)

    decorated: Callable[..., dg.ScheduleDefinition] = dg.schedule(
        name=f"{job.removesuffix('_job')}_schedule", job_name=job, cron_schedule=cron,
        execution_timezone=_ZONE, description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )  # fmt: skip
    return decorated(evaluate)


SCHEDULES = [
    _schedule("daily_job", "10 17 * * 1-5", "The day that has just ended.", partitioned=True),
    _schedule("training_job", "0 19 * * 1-5", "A challenger from the rows up to now."),
    _schedule("watch_job", "20 * * * *", "Models at work, every hour.", key="%Y-%m-%dT%H"),
    _schedule("comparison_job", "40 18 * * 1-5", "May the challenger replace the champion?"),
    _schedule("search_job", "0 4 * * 6", "Better settings, while the market is closed."),
    _schedule("maintenance_job", "0 3 * * *", "Backup and retention."),
    _schedule("clients_job", "15 */6 * * *", "Clients' files, checked.", key="%Y-%m-%dT%H"),
    _schedule("documentation_job", "30 3 * * 6", "The dbt site, once a week."),
]
