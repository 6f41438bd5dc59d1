"""Starts runs as Dagster does, and knows when the process of one is gone.

Dagster's own launcher cannot say so: a run whose process was killed with its code server would
count as running for ever, and hold its pool. The process id stands in the run's first event.
"""

import os
import re

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

_PID = re.compile(r"\(pid: (\d+)\)")


class WatchedLauncher(dg.DefaultRunLauncher):
    """The default launcher with the health of its workers, for Dagster's run monitoring."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does; the monitoring daemon asks every few seconds."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process lives; then the run is failed and started again."""
        pid = self._pid(run.run_id)
        if pid is None or _is_run(pid):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"its process {pid} is gone")

    def _pid(self, run_id: str) -> int | None:
        events = self._instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        for event in events:
            if match := _PID.search(event.message or event.user_message or ""):
                return int(match.group(1))
        return None


def _is_run(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's: the number was given away again
        return False
    return True
