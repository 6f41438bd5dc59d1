"""The truth about each process: what supervisord knows, joined with what the process answers."""

import functools
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from cli.stack.supervisor_client import ProcessInfo
from core import tls
from core.log import readable

_ANSWER_WITHIN_S = 1.0


class ProcessView(msgspec.Struct, frozen=True):
    """Where to look at one process."""

    name: str
    health_file: str
    ready_url: str
    log: str


class ProcessState(msgspec.Struct, frozen=True):
    """One process at one moment."""

    name: str
    state: str  # supervisord's: stopped, starting, running, backoff, stopping, exited, fatal
    pid: int
    uptime_s: int
    restarts: int
    exit_code: int  # of the last run; -1: ended by a signal
    health: str  # ready, starting, degraded, stopping; silent: no answer; empty: not running
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
    views: Iterable[ProcessView], processes: dict[str, ProcessInfo]
) -> dict[str, ProcessState]:
    """State of each process, by name. Asks every running one for its health."""
    return {view.name: _state(view, processes[view.name]) for view in views}


def last_lines(log: str, count: int = 12) -> list[str]:
    """The end of a process's log as a person reads it; empty when there is none."""
    path = Path(log)
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 16_384, 0))
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return [part for line in lines for part in readable(line).splitlines()][-count:]


def _state(view: ProcessView, info: ProcessInfo) -> ProcessState:
    health, detail = _health(view, info.pid) if info.pid else ("", info.problem)
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


def _health(view: ProcessView, pid: int) -> tuple[str, str]:
    url, home = view.ready_url, Path(view.health_file).parent.parent
    if not url:
        port = _port(Path(view.health_file), pid)
        if not port:
            return "starting", "has not opened its health port yet"
        url = f"{tls.scheme(home)}://127.0.0.1:{port}/health"
    code, body = _get(url, home)
    if code == 0:
        # A server that we did not write has no health port that opens before it is ready.
        return ("starting" if view.ready_url else "silent"), str(body.get("error", ""))
    if view.ready_url:
        return ("ready" if code == 200 else "starting"), ""
    return str(body.get("status", "silent")), str(body.get("detail", ""))


def _port(file: Path, pid: int) -> int:
    try:
        content = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return 0
    return int(content["health_port"]) if content.get("pid") == pid else 0  # else: of a former run


def _get(url: str, home: Path) -> tuple[int, dict[str, Any]]:
    """Status and body; status 0 when nobody answers, or dies while answering."""
    try:
        try:
            with _direct(tls.authority_of(home)).open(url, timeout=_ANSWER_WITHIN_S) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, _json(refusal.read())
    except (OSError, http.client.HTTPException) as error:
        return 0, {"error": f"no answer at {url}: {tls.why(error) or error}"}


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@functools.cache
def _direct(authority: str) -> urllib.request.OpenerDirector:
    """Loopback needs no proxy."""
    secured = urllib.request.HTTPSHandler(context=tls.trusting(authority))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), secured)
