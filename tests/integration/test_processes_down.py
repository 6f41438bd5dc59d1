"""Servers and Dagster hang and die, and people hear of each: they send no heartbeats themselves.

Terminal, bus, warehouse and Dagster's daemon at once, as hung processes are (SIGSTOP) and as
crashed ones are (SIGKILL): `watch` goes on with all of them down.
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
SYMBOLS = {"TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD"}
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
            **SYMBOLS,
            "TICKHOUSE_ALERTS__WEBHOOK": receiver.url,
            "TICKHOUSE_ALERTS__DIGEST_S": "0",
            "TICKHOUSE_RULES__EVERY_S": "0.5",
            # Heartbeats are stored every five seconds, and again only once who stores is back.
            "TICKHOUSE_RULES__PROCESS_DOWN_S": "20",
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


def strike(home: Path, number: signal.Signals) -> list[int]:
    """A signal to all of them at once."""
    hit = list(pids(home).values())
    assert len(hit) == len(SERVERS)
    for pid in hit:
        os.kill(pid, number)
    return hit


def test_servers_that_hang_or_crash_are_missed_and_then_back(
    desk: tuple[Path, Receiver],
) -> None:
    home, receiver = desk
    for pid in until_missed(home, receiver):
        os.kill(pid, signal.SIGCONT)
    until(lambda: set(SERVERS) <= subjects(receiver, "resolved", 0), 180)
    assert subjects(receiver, "fired", 0) == set(SERVERS), "and nobody else"
    # Who crashed is started again: whether that takes longer than the limit is the machine's.
    since, before = len(receiver.received), strike(home, signal.SIGKILL)
    healthy({"TICKHOUSE_HOME": str(home), **SYMBOLS})
    assert not set(before) & set(pids(home).values())
    fired = subjects(receiver, "fired", since)
    until(lambda: fired <= subjects(receiver, "resolved", since), 120)


def until_missed(home: Path, receiver: Receiver) -> list[int]:
    """Who hangs; once people were told of each of them."""
    hung = strike(home, signal.SIGSTOP)
    until(lambda: set(SERVERS) <= subjects(receiver, "fired", 0), 120)
    return hung
