"""DAGSTER_HOME as files of ours: what Dagster keeps, retries, limits and never tells anybody.

Imports no Dagster: the command line writes these files before it starts Dagster's processes.
"""

import hashlib
import os
import re
import tempfile
from importlib.util import find_spec
from pathlib import Path

from core.errors import SettingsError

#: What has to be importable; an environment of `make demo` has none of it.
NEEDS = ("dagster", "dagster_webserver", "dbt", "great_expectations", "apprise")
LOCATION = "tickhouse"
_LONGEST = 100  # bytes of a socket's path, which the kernel bounds

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
      socket: {socket}
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


def code_socket(home: Path) -> Path:
    """Where the code server listens: in a folder of the owner's, since it runs what it is sent and
    asks nobody who he is. A home whose path a socket cannot have gets one among temporary files.

    Raises:
        SettingsError: that folder is somebody else's, or open to others.
    """
    usual = directory(home).resolve() / "code.sock"
    if len(os.fsencode(usual)) <= _LONGEST and re.fullmatch(r"[\w/.-]+", str(usual), re.ASCII):
        return usual
    name = hashlib.sha256(os.fsencode(usual)).hexdigest()[:16]
    return _private(Path(tempfile.gettempdir()) / f"tickhouse-{os.getuid()}-{name}") / "code.sock"


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise SettingsError(f"{folder} is not this user's alone; remove it and start again")
    return folder


def write(home: Path, poll_s: int = 5) -> None:
    """Write dagster.yaml and workspace.yaml; runs and schedules that are kept stay."""
    where = directory(home)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    where.chmod(0o700)  # the socket lies in it, also in a home of before
    instance = _INSTANCE.format(storage=_quoted(where / "storage"), poll_s=poll_s)
    (where / "dagster.yaml").write_text(instance)
    socket = _quoted(code_socket(home))
    workspace(home).write_text(_WORKSPACE.format(socket=socket, location=LOCATION))


def environment(home: Path) -> dict[str, str]:
    """What Dagster's processes need beside the product's settings."""
    return {
        "DAGSTER_HOME": str(directory(home)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1",
    }


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
