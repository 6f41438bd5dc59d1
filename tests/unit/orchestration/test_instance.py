"""The files we write are an instance that Dagster takes, and tell nobody anything."""

import os
from pathlib import Path

import dagster as dg
import pytest

from core.errors import SettingsError
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


def test_the_code_server_listens_where_the_owner_alone_can_go(tmp_path: Path) -> None:
    short = Path("/home/a/desk")
    assert instance.code_socket(short) == short / "dagster" / "code.sock"
    for home in (tmp_path / ("long" * 30), tmp_path / "it's home"):
        path = instance.code_socket(home)
        assert len(str(path)) <= 100
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path == instance.code_socket(home)  # whoever asks finds the same
    opened = instance.code_socket(tmp_path / "it's home").parent
    opened.chmod(0o755)
    with pytest.raises(SettingsError, match="not this user's alone"):
        instance.code_socket(tmp_path / "it's home")
    opened.rmdir()


def test_the_folder_of_a_home_of_before_is_closed_to_others(tmp_path: Path) -> None:
    instance.directory(tmp_path).mkdir(mode=0o755)
    instance.write(tmp_path)
    assert instance.directory(tmp_path).stat().st_mode & 0o777 == 0o700
    assert f"socket: '{instance.code_socket(tmp_path)}'" in instance.workspace(tmp_path).read_text()
