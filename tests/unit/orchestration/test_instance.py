"""The files we write are an instance that Dagster takes, and tell nobody anything."""

import os
from pathlib import Path

import dagster as dg

from orchestration import instance
from orchestration.launcher import WatchedLauncher


def test_dagster_takes_the_instance_and_keeps_everything_in_the_home(
    dagster_instance: dg.DagsterInstance,
) -> None:
    home = Path(dagster_instance.root_directory).parent
    assert not dagster_instance.telemetry_enabled
    assert not dagster_instance.nux_enabled  # a window that asks for an address
    assert dagster_instance.run_retries_enabled
    assert dagster_instance.run_retries_max_retries == 2
    assert dagster_instance.run_monitoring_enabled
    assert isinstance(dagster_instance.run_launcher, WatchedLauncher)
    assert dagster_instance.global_op_concurrency_default_limit == 1
    assert "FRESHNESS_DAEMON" in dagster_instance.get_required_daemon_types()
    assert list((instance.directory(home) / "storage").rglob("*.db"))
    assert "port: 4266" in instance.workspace(home).read_text()
    assert instance.environment(home)["DAGSTER_DISABLE_TELEMETRY"] == "1"


def test_a_run_whose_process_is_gone_is_not_healthy(dagster_instance: dg.DagsterInstance) -> None:
    gone = os.posix_spawnp("true", ["true"], os.environ)
    os.waitpid(gone, 0)
    for pid, status in ((os.getpid(), "RUNNING"), (gone, "NOT_FOUND"), (None, "RUNNING")):
        started = dg.DagsterRun(job_name="x", status=dg.DagsterRunStatus.STARTED)
        run = dagster_instance.add_run(started)
        if pid:  # None: it has not said so yet
            dagster_instance.report_engine_event(f"Started process for run (pid: {pid}).", run)
        health = dagster_instance.run_launcher.check_run_worker_health(run)
        assert health.status.value == status


def test_what_is_missing_is_named() -> None:
    assert instance.missing() == []
    assert set(instance.NEEDS) >= {"dagster", "dbt", "great_expectations"}
