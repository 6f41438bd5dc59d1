"""`tickhouse up` with every real process of the product."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.diagnostics.status import NOT_RUNNING
from tests.support.running_stack import healthy

pytestmark = pytest.mark.process

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "TICKHOUSE_HOME": str(tmp_path / "home"),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
        "TICKHOUSE_ORCHESTRATION__ENABLED": "false",  # tests/integration/test_dagster_up.py
    }


@pytest.fixture
def up(tmp_path: Path, environment: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [*_TICKHOUSE, "up", "--bare"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def tickhouse(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*_TICKHOUSE, *words], env=environment, capture_output=True, text=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_up_recovers_is_alone_on_its_home_and_leaves_nothing(
    up: "subprocess.Popen[str]", environment: dict[str, str]
) -> None:
    before = healthy(environment, up).processes
    assert {"warehouse", "bus", "terminal", "collector", "execution", "board"} <= set(before)

    os.kill(before["collector"].pid, signal.SIGKILL)
    healthy(environment, up, restarted="collector")
    status = json.loads(tickhouse(environment, "status", "--json").stdout)
    after = status["processes"]
    assert status["status"] == "healthy"
    assert after["collector"]["restarts"] == 1
    assert {n: p["pid"] for n, p in after.items() if n != "collector"} == {
        n: p.pid for n, p in before.items() if n != "collector"
    }

    second = tickhouse(environment, "up")
    assert second.returncode == 2
    assert f"process {up.pid}" in second.stderr

    up.send_signal(signal.SIGTERM)
    output, _ = up.communicate(timeout=120)
    assert up.returncode == 0
    assert "Nothing is left running." in output
    assert "Killed" not in output
    assert not any(alive(process["pid"]) for process in after.values())
    assert tickhouse(environment, "status").returncode == NOT_RUNNING
