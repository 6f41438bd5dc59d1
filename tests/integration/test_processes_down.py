"""Servers and Dagster hang and die, and people hear of each: they send no heartbeats themselves.

Terminal, bus, warehouse and Dagster's daemon at once, as hung processes are (SIGSTOP) and as
crashed ones are that crash again (SIGKILL as often as they come back): `watch` goes on with all of
them down.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack.running import running
from core.errors import TickhouseError
from tests.support.http_receiver import Receiver
from tests.support.running_stack import healthy
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]
_ROOT = Path(__file__).parents[2]
SERVERS = ("terminal", "bus", "warehouse", "orchestration.daemon")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Path, Receiver]]:
    """A stack with Dagster that is all well, and who is told of its alerts."""
    home = tmp_path / "home"
    with Receiver() as receiver:
        environment = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "TICKHOUSE_HOME": str(home),
            "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",
            "TICKHOUSE_ALERTS__WEBHOOK": receiver.url,
            "TICKHOUSE_ALERTS__DIGEST_S": "0",
            "TICKHOUSE_RULES__EVERY_S": "0.5",
            "TICKHOUSE_RULES__PROCESS_DOWN_S": "5",
        }
        line = [sys.executable, "-m", "cli.main", "up", "--bare"]
        up = subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        try:
            healthy(environment, up)
            yield home, receiver
        finally:
            up.send_signal(signal.SIGINT)
            up.wait()
        assert up.returncode == 0


def pids(home: Path) -> dict[str, int]:
    """Of the servers that run at this moment."""
    stack = running(home)
    assert stack is not None
    try:
        states = stack.observe()
    except TickhouseError:
        return {}
    return {name: states[name].pid for name in SERVERS if states[name].pid}


def subjects(receiver: Receiver, state: str, since: int) -> set[str]:
    """Processes of which it was said since so many messages."""
    posts = receiver.received[since:]
    return {p["subject"] for p in posts if p.get("rule") == "process_down" and p["state"] == state}


def test_servers_that_hang_or_crash_are_missed_and_then_back(
    desk: tuple[Path, Receiver],
) -> None:
    for number in (signal.SIGSTOP, signal.SIGKILL):
        struck_and_back(*desk, number)


def struck_and_back(home: Path, receiver: Receiver, number: signal.Signals) -> None:
    """A signal to each, as often as it comes back, until all are missed; nobody else is."""
    since, hit = len(receiver.received), dict[str, int]()

    def strike() -> None:
        for name, pid in pids(home).items():
            if hit.get(name) != pid:
                hit[name] = pid
                os.kill(pid, number)

    until(lambda: set(SERVERS) <= subjects(receiver, "fired", since), 120, meanwhile=strike)
    if number == signal.SIGSTOP:
        for pid in hit.values():
            os.kill(pid, signal.SIGCONT)
    until(lambda: set(SERVERS) <= subjects(receiver, "resolved", since), 180)
    assert subjects(receiver, "fired", since) == set(SERVERS)
