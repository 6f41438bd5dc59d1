"""The truth about each process: what supervisord knows, joined with what the process answers."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from cli.stack.supervisor_client import ProcessInfo
from core.log import readable
from core.process_view import ProcessView, health_of


class ProcessState(msgspec.Struct, frozen=True):
    """One process at one moment."""

    name: str
    state: str  # supervisord's: stopped, starting, running, backoff, stopping, exited, fatal
    pid: int
    uptime_s: int
    restarts: int
    exit_code: int  # of the last run; -1: ended by a signal
    health: str  # ready, starting, degraded, stopping; silent: no answer; empty: not running, or
    # nobody wanted to know
    detail: str  # one line for a person
    log: str

    @property
    def ready(self) -> bool:
        """Running, and says so itself."""
        return self.health == "ready"

    @property
    def ended(self) -> bool:
        """Ended as it should: with exit code 0."""
        return self.state == "exited" and self.exit_code == 0


def observe(
    views: Iterable[ProcessView], processes: dict[str, ProcessInfo], *, health: bool = True
) -> dict[str, ProcessState]:
    """State of each process, by name. Asks every running one for its `health`."""
    return {view.name: _state(view, processes[view.name], health) for view in views}


def last_lines(log: str, count: int = 12) -> list[str]:
    """The end of a process's log as a person reads it; empty when there is none."""
    path = Path(log)
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 16_384, 0))
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return [part for line in lines for part in readable(line).splitlines()][-count:]


def _state(view: ProcessView, info: ProcessInfo, with_health: bool) -> ProcessState:
    known = with_health and info.pid
    health, detail = health_of(view, info.pid) if known else ("", info.problem)
    return ProcessState(
        name=view.name,
        state=info.state,
        pid=info.pid,
        uptime_s=info.uptime_s,
        restarts=max(info.starts - 1, 0),
        exit_code=info.exit_code,
        health=health,
        detail=detail,
        log=view.log,
    )
