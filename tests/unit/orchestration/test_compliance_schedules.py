"""Compliance schedules are on; they run once what they need is there, and say what until then."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from core.sections import ReportSettings
from core.settings import Settings
from orchestration.compliance_ready import NO_KEY, NO_REFERENCE, missing_for_seals
from orchestration.defs.compliance import SELDOM
from orchestration.defs.compliance_schedules import SCHEDULES
from orchestration.resources import Tickhouse
from reports import catalog
from tests.support.compliance import TEMPLATES, import_reference
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
#: Client money is compared whether a report is due or not, and wants no reference data.
REPORTS = [s for s in SCHEDULES if s.job_name not in ("audit_job", "client_money_job")]
each_report = pytest.mark.parametrize("schedule", REPORTS, ids=lambda s: s.name)
Evaluated = dg.RunRequest | list[dg.RunRequest] | dg.SkipReason


def test_a_report_of_a_longer_period_has_a_job_of_its_own() -> None:
    """The calendar of compliance staff and Dagster mean the same by daily."""
    alone = {name for name, report in catalog.REPORTS.items() if report.every != "day"}
    jobs = {schedule.job_name for schedule in REPORTS} - {"reports_job"}
    assert len(alone) == len(jobs) == len(SELDOM)
    assert set(SELDOM) == alone


def evaluated(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance) -> Evaluated:
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=AT, resources={"tickhouse": Tickhouse()}
    ) as context:
        result: Evaluated = schedule(context)
        return result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    return tmp_path


def test_all_are_on_from_the_first_day() -> None:
    assert all(s.default_status == dg.DefaultScheduleStatus.RUNNING for s in SCHEDULES)
    assert {s.job_name for s in SCHEDULES} == {
        "audit_job", "reports_job", "quarter_job", "assessment_job", "retention_job",
        "client_money_job",
    }  # fmt: skip


@each_report
def test_reports_wait_for_reference_data_and_begin_by_themselves(
    schedule: dg.ScheduleDefinition, dagster_instance: dg.DagsterInstance, warehouse: Warehouse,
    home: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    skipped = evaluated(schedule, dagster_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "tickhouse up" in str(skipped.skip_message)  # no warehouse runs
    empty_tables(warehouse)
    warehouse.reached(monkeypatch)
    assert evaluated(schedule, dagster_instance) == dg.SkipReason(NO_REFERENCE)
    import_reference([TEMPLATES / "parties.csv"])
    requested = evaluated(schedule, dagster_instance)
    assert isinstance(requested, list)
    assert [(one.partition_key, one.run_key) for one in requested] == [("2026-03-31|home",) * 2]


@each_report
def test_a_run_that_still_goes_keeps_the_next_from_starting(
    schedule: dg.ScheduleDefinition, dagster_instance: dg.DagsterInstance
) -> None:
    run = dagster_instance.add_run(
        dg.DagsterRun(job_name=schedule.job_name, status=dg.DagsterRunStatus.STARTED)
    )
    skipped = evaluated(schedule, dagster_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert run.run_id in str(skipped.skip_message)


def test_without_a_key_the_trail_is_verified_and_the_run_says_why_nothing_is_sealed(
    dagster_instance: dg.DagsterInstance, warehouse: Warehouse, home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    warehouse.reached(monkeypatch)
    audit = next(s for s in SCHEDULES if s.job_name == "audit_job")
    requested = evaluated(audit, dagster_instance)
    assert isinstance(requested, dg.RunRequest)
    assert requested.asset_selection == [dg.AssetKey("verified_trail")]
    assert requested.tags["not sealed"] == NO_KEY[:250]
    key = home / "vault.pem"
    monkeypatch.setenv("TICKHOUSE_REPORTS__SIGNING_KEY", str(key))
    lost = evaluated(audit, dagster_instance)
    assert isinstance(lost, dg.RunRequest)
    assert "is not there" in lost.tags["not sealed"]
    key.write_text("a key")
    complete = evaluated(audit, dagster_instance)
    assert isinstance(complete, dg.RunRequest)
    assert (complete.asset_selection, complete.run_key) == (None, "2026-04-01")


def test_a_key_that_is_set_and_there_is_all_that_seals_need(tmp_path: Path) -> None:
    assert missing_for_seals(Settings()) == NO_KEY
    key = tmp_path / "key"
    key.write_text("a key")
    assert missing_for_seals(Settings(reports=ReportSettings(signing_key=str(key)))) == ""
