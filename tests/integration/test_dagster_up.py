"""`tickhouse up` with Dagster: a run whose process is killed with the daemon is started again."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.replay_runs import environment
from tests.support import new_home
from tests.support.http_receiver import Receiver
from tests.support.running_stack import healthy, status_of
from tests.support.waiting import until
from tests.support.warehouse_server import ROOT

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(600),
    pytest.mark.heavy(suite="orchestration"),
]

_TICKHOUSE = [sys.executable, "-m", "cli.main"]
eventually = partial(until, within_s=240.0, every_s=0.2)
_LAUNCH = """mutation { launchRun(executionParams: {mode: "default", runConfigData: {}, selector: {
    repositoryLocationName: "tickhouse", repositoryName: "__repository__", jobName: "%s"}})
    { __typename ... on LaunchRunSuccess { run { runId } } } }"""
_RUN = """{ runOrError(runId: "%s") { ... on Run { status } } logsForRun(runId: "%s")
    { ... on EventConnection { events { ... on MessageEvent { message } } } } }"""
_RETRIES = """{ runsOrError(filter: {tags: [{key: "dagster/parent_run_id", value: "%s"}]})
    { ... on Runs { results { runId status } } } }"""
_LOADED = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } }"""


class Up:
    """A running stack."""

    def __init__(self, home: Path, receiver: Receiver) -> None:
        self.environment = environment(
            home,
            PYTHONPATH=str(ROOT),
            TICKHOUSE_TERMINAL__SYMBOLS="BTCUSD",
            TICKHOUSE_ALERTS__WEBHOOK=receiver.url,
        )
        self.receiver = receiver
        self.process = subprocess.Popen(
            [*_TICKHOUSE, "up", "--bare"],
            cwd=home,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = ""

    def ask(self, query: str) -> Any:
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    with Receiver() as receiver:
        stack = Up(new_home.for_up(tmp_path, dagster=True), receiver)
        try:
            yield stack
        finally:
            stack.process.kill()
            stack.process.communicate()


def test_a_run_killed_with_the_daemon_is_started_again_and_told(up: Up) -> None:
    status = healthy(up.environment, up.process)
    assert status.stack is not None
    up.url = status.stack.urls["dagster"]
    (loaded,) = up.ask(_LOADED)["repositoriesOrError"]["nodes"]
    states = [s["scheduleState"] for s in loaded["schedules"]]
    states += [s["sensorState"] for s in loaded["sensors"]]
    # All are on; those of compliance skip, and say why, until a firm's reference data are there.
    assert {s["status"] for s in states} == {"RUNNING"}
    assert len(states) >= 13

    run = up.ask(_LAUNCH % "documentation_job")["launchRun"]["run"]["runId"]
    worker = eventually(lambda: worker_of(up, run))
    os.kill(worker, signal.SIGKILL)
    os.kill(status.processes["orchestration.daemon"].pid, signal.SIGKILL)

    eventually(lambda: up.ask(_RUN % (run, run))["runOrError"]["status"] == "FAILURE")
    ended = eventually(lambda: [r for r in retries(up, run) if r["status"] == "SUCCESS"])
    assert len(ended) == 1
    alert = eventually(lambda: up.receiver.received)[0]
    assert (alert["job"], alert["run_id"]) == ("documentation_job", run)
    with urllib.request.urlopen(f"{up.url}/dbt-docs/index.html", timeout=60) as page:
        assert b"fct_trade" in page.read()
    assert status_of(up.environment).processes["orchestration.daemon"].restarts == 1

    up.process.send_signal(signal.SIGTERM)
    output, _ = up.process.communicate(timeout=60)
    assert up.process.returncode == 0
    assert "Nothing is left running." in output
    assert "Killed" not in output


def worker_of(up: Up, run: str) -> int:
    """The pid of a run's process once it works; 0 before."""
    events = up.ask(_RUN % (run, run))["logsForRun"]["events"]
    texts = [event.get("message", "") for event in events]
    started = [text for text in texts if text.startswith("Started execution of step")]
    pids = [text for text in texts if text.startswith("Started process for run (pid: ")]
    return int(pids[0].partition("pid: ")[2].rstrip(").")) if started and pids else 0


def retries(up: Up, run: str) -> list[dict[str, str]]:
    runs: list[dict[str, str]] = up.ask(_RETRIES % run)["runsOrError"]["results"]
    return runs
