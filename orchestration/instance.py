"""DAGSTER_HOME as files of ours: what Dagster keeps, retries, limits and never tells anybody.

Imports no Dagster: the command line writes these files before it starts Dagster's processes.
"""

from importlib.util import find_spec
from pathlib import Path

#: What has to be importable; an environment of `make demo` has none of it.
NEEDS = ("dagster", "dagster_webserver", "dagster_dbt", "dbt", "great_expectations", "apprise")
LOCATION = "tickhouse"  # a name of its own, so that schedules stay on when a port changes

# `granularity: run`: a run that needs dbt waits in the queue, not in a process of its own.
# A run is tried again when its process died, not when what it did failed: that would fail again.
# Nothing here runs for two hours; what hangs ends, is told, and gives its pool back.
_INSTANCE = """\
# Written by `tickhouse up` at every start.
storage:
  sqlite:
    base_dir: {storage}
telemetry:
  enabled: false
nux:
  enabled: false
run_launcher:
  module: orchestration.launcher
  class: WatchedLauncher
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
concurrency:
  runs:
    max_concurrent_runs: 2
  pools:
    default_limit: 1
    granularity: run
run_monitoring:
  enabled: true
  poll_interval_seconds: {poll_s}
  start_timeout_seconds: 180
  cancel_timeout_seconds: 60
  max_resume_run_attempts: 0
  max_runtime_seconds: 7200
freshness:
  enabled: true
retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days: {{skipped: 2, failure: 30, success: 30}}
"""
_WORKSPACE = """\
# Written by `tickhouse up` at every start.
load_from:
  - grpc_server:
      host: 127.0.0.1
      port: {port}
      location_name: {location}
"""


def missing() -> list[str]:
    """Which of what Dagster's processes need is not installed."""
    return [name for name in NEEDS if find_spec(name) is None]


def directory(home: Path) -> Path:
    """DAGSTER_HOME."""
    return home / "dagster"


def workspace(home: Path) -> Path:
    """The file that says where the code server answers."""
    return directory(home) / "workspace.yaml"


def write(home: Path, code_port: int, poll_s: int = 5) -> None:
    """Write dagster.yaml and workspace.yaml; runs and schedules that are kept stay."""
    where = directory(home)
    where.mkdir(parents=True, exist_ok=True)
    instance = _INSTANCE.format(storage=_quoted(where / "storage"), poll_s=poll_s)
    (where / "dagster.yaml").write_text(instance)
    workspace(home).write_text(_WORKSPACE.format(port=code_port, location=LOCATION))


def environment(home: Path) -> dict[str, str]:
    """What Dagster's processes need beside the product's settings."""
    return {
        "DAGSTER_HOME": str(directory(home)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1",
    }


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
