"""Schedules fire after the close, and never pile up."""

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.schedules import SCHEDULES

NEW_YORK = ZoneInfo("America/New_York")
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)


def evaluated(
    schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance
) -> dg.RunRequest | dg.SkipReason:
    at = datetime(2014, 5, 7, 17, 10, tzinfo=NEW_YORK)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
        return schedule(context)


def going(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name=job, status=status))


@each_schedule
def test_a_schedule_asks_for_one_run_of_its_day(
    schedule: dg.ScheduleDefinition, dagster_instance: dg.DagsterInstance
) -> None:
    requested = evaluated(schedule, dagster_instance)
    assert isinstance(requested, dg.RunRequest)
    hourly = schedule.job_name in ("watch_job", "clients_job")
    assert requested.run_key == ("2014-05-07T17" if hourly else "2014-05-07")
    daily = schedule.job_name == "daily_job"
    assert requested.partition_key == ("2014-05-07" if daily else None)


@each_schedule
def test_a_run_that_still_goes_keeps_the_next_from_starting(
    schedule: dg.ScheduleDefinition, dagster_instance: dg.DagsterInstance
) -> None:
    run = going(dagster_instance, schedule.job_name, dg.DagsterRunStatus.STARTED)
    skipped = evaluated(schedule, dagster_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert run.run_id in str(skipped.skip_message)


def test_runs_of_other_jobs_and_runs_that_ended_keep_nothing(
    dagster_instance: dg.DagsterInstance,
) -> None:
    going(dagster_instance, "training_job", dg.DagsterRunStatus.STARTED)
    going(dagster_instance, "daily_job", dg.DagsterRunStatus.FAILURE)
    daily = next(schedule for schedule in SCHEDULES if schedule.job_name == "daily_job")
    assert isinstance(evaluated(daily, dagster_instance), dg.RunRequest)


def test_all_are_on_and_the_day_is_run_after_the_close() -> None:
    assert all(s.default_status == dg.DefaultScheduleStatus.RUNNING for s in SCHEDULES)
    daily = next(schedule for schedule in SCHEDULES if schedule.job_name == "daily_job")
    assert daily.cron_schedule == "10 17 * * 1-5"
    assert daily.execution_timezone == "America/New_York"
