"""When one of Dagster's processes is ready, seen from within it: its door answers, or it beats."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from core import tls
from core.process import Process
from orchestration.instance import LOCATION

_POLL_S = 0.5
_POLL_LATER_S = 30.0  # each question opens databases or asks all definitions
_SILENT_S = 300.0  # a daemon beats every half minute


def watch(process: Process, probe: Callable[[], str]) -> None:
    """Ask until it ends; `probe` returns what is wrong, or nothing."""
    health = process.health
    while not process.stopping.is_set():
        try:
            problem = probe()
        except Exception as error:  # whatever Dagster raises is what a person has to read
            problem = f"{type(error).__name__}: {error}"
        was_ready = health.status in ("ready", "degraded")
        health.set(("degraded" if was_ready else "starting") if problem else "ready", problem)
        process.stopping.wait(_POLL_LATER_S if was_ready and not problem else _POLL_S)


def code_ready(path: Path) -> str:
    """The code server listens, which it does when every definition is loaded."""
    with socket.socket(socket.AF_UNIX) as probe:
        return "loading definitions" if probe.connect_ex(str(path)) else ""


def webserver_ready(port: int, home: Path) -> str:
    """It answers, and has the definitions of the code server."""
    query = "{workspaceOrError{...on Workspace{locationEntries{locationOrLoadError{__typename}}}}}"
    request = urllib.request.Request(  # noqa: S310 - http or https, of this machine
        f"{tls.scheme(home)}://127.0.0.1:{port}/graphql",
        b'{"query": "%s"}' % query.encode(),
        {"Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls.trusted(home))
    )
    try:
        with direct.open(request, timeout=5) as answer:
            content = answer.read().decode()
    except (OSError, urllib.error.URLError):
        return "it does not answer yet"
    return "" if '"RepositoryLocation"' in content else f"{LOCATION} could not be loaded"


def daemon_ready() -> str:
    """All of its daemons beat, and none of them told of an error."""
    instance = dg.DagsterInstance.get()
    try:
        beats = instance.get_daemon_heartbeats()
        wanted = set(instance.get_required_daemon_types())
    finally:
        instance.dispose()
    late = {
        name
        for name in wanted
        if name not in beats or beats[name].timestamp < time.time() - _SILENT_S
    }
    return f"no sign of life from {', '.join(sorted(late))}" if late else ""
