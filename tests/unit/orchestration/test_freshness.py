"""What is built on a schedule is late once its deadline is over without it, and not before."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import dagster as dg
import pytest
from dagster._core.definitions.freshness import CronFreshnessPolicy, FreshnessState
from dagster._core.definitions.freshness_evaluator import CronFreshnessPolicyEvaluator
from dagster._core.loader import LoadingContextForTest
from dagster._core.test_utils import freeze_time
from dagster._utils.schedules import cron_string_iterator

from orchestration import freshness
from orchestration.defs import compliance, compliance_schedules, statement
from orchestration.schedules import SCHEDULES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
CODE = dg.Definitions(
    assets=[*compliance.ASSETS, statement.broker_statement, statement.client_money],
    jobs=[*compliance.JOBS, statement.statement_job, statement.client_money_job],
    resources={"tickhouse": None},
)
SCHEDULED = [*compliance_schedules.SCHEDULES, statement.statement_schedule]
EMIR = dg.AssetKey("report_emir")
QUARTER = dg.AssetKey("report_execution_quality_quarter")
MARCH = "2026-03-02"  # a Monday


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def state(instance: dg.DagsterInstance, asset: dg.AssetKey, now: str) -> FreshnessState:
    """As Dagster's daemon reckons it at a time (UTC)."""
    node = CODE.resolve_asset_graph().get(asset)
    with freeze_time(moment(now)):
        context = LoadingContextForTest(instance)
        return asyncio.run(CronFreshnessPolicyEvaluator().evaluate_freshness(context, node))


def built(instance: dg.DagsterInstance, asset: dg.AssetKey, now: str) -> None:
    with freeze_time(moment(now)):
        instance.report_runless_asset_event(dg.AssetMaterialization(asset))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One that knows of nothing built."""
    with dg.DagsterInstance.ephemeral() as empty:
        yield empty


def test_a_report_that_the_night_did_not_make_is_late_from_its_deadline(
    instance: dg.DagsterInstance,
) -> None:
    assert state(instance, EMIR, f"{MARCH} 12:00") == FreshnessState.UNKNOWN
    built(instance, EMIR, f"{MARCH} 01:07")
    assert state(instance, EMIR, f"{MARCH} 03:00") == FreshnessState.PASS
    assert state(instance, EMIR, "2026-03-03 02:59") == FreshnessState.PASS
    assert state(instance, EMIR, "2026-03-03 03:00") == FreshnessState.FAIL
    built(instance, EMIR, "2026-03-03 07:30")  # late, and there
    assert state(instance, EMIR, "2026-03-03 07:31") == FreshnessState.PASS
    assert state(instance, EMIR, "2026-03-04 03:00") == FreshnessState.FAIL


def test_one_made_in_the_afternoon_does_not_stand_for_the_nights(
    instance: dg.DagsterInstance,
) -> None:
    built(instance, EMIR, f"{MARCH} 15:00")
    assert state(instance, EMIR, "2026-03-03 03:00") == FreshnessState.FAIL


def test_a_review_of_the_quarter_is_late_once_in_a_quarter(instance: dg.DagsterInstance) -> None:
    built(instance, QUARTER, "2026-01-01 05:10")
    assert state(instance, QUARTER, "2026-04-01 07:59") == FreshnessState.PASS
    assert state(instance, QUARTER, "2026-04-01 08:00") == FreshnessState.FAIL


@pytest.mark.parametrize("schedule", SCHEDULED, ids=lambda one: one.name)
def test_a_run_of_a_schedule_is_in_time_for_every_asset_of_it(
    schedule: dg.ScheduleDefinition,
) -> None:
    job = CODE.resolve_job_def(schedule.job_name)
    graph = CODE.resolve_asset_graph()
    policies = [graph.get(key).freshness_policy for key in job.asset_layer.selected_asset_keys]
    assert policies
    for policy in policies:
        assert_in_time(schedule, policy)


def test_the_daily_run_is_in_time_for_the_marts_all_year_round() -> None:
    (daily,) = (one for one in SCHEDULES if one.job_name == "daily_job")
    assert_in_time(daily, freshness.MARTS)


def assert_in_time(schedule: dg.ScheduleDefinition, policy: object) -> None:
    """An hour is left between a run's beginning and the deadline, and it is after the bound."""
    assert isinstance(policy, CronFreshnessPolicy)
    begin = moment("2026-01-01 00:00").timestamp()
    cron, zone = str(schedule.cron_schedule), schedule.execution_timezone
    for due in islice(cron_string_iterator(begin, cron, zone), 260):
        deadline = next(
            cron_string_iterator(due.timestamp() + 1, policy.deadline_cron, policy.timezone)
        )
        left = deadline - due
        assert timedelta(hours=1) <= left <= policy.lower_bound_delta, (due, deadline)
