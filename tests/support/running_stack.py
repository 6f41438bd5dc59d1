"""What a running `tickhouse up` shows, without the half core-second of a command per question."""

import subprocess
from collections.abc import Mapping

from cli.diagnostics.status import HEALTHY, StackStatus, stack_status
from core.errors import TickhouseError
from core.settings import load
from tests.support.waiting import until


def status_of(environment: Mapping[str, str]) -> StackStatus:
    """What `tickhouse status` would show."""
    return stack_status(load(environment))


def healthy(
    environment: Mapping[str, str],
    up: "subprocess.Popen[str] | subprocess.Popen[bytes] | None" = None,
    restarted: str = "",
) -> StackStatus:
    """The status once all is well, and that process was started again.

    Raises:
        AssertionError: it was not within four minutes, or `up` ended.
    """

    def well() -> StackStatus | None:
        try:
            status = status_of(environment)
        except (OSError, TickhouseError):  # it is just being written down
            return None
        if status.exit_code != HEALTHY or not status.processes:
            return None
        return status if not restarted or status.processes[restarted].restarts else None

    return until(well, 240.0, running=up, every_s=0.5)  # each look asks every process
