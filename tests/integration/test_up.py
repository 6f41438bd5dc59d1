"""`tickhouse up` with every real process of the product."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.diagnostics.status import NOT_RUNNING
from tests.support.running_stack import healthy
from tests.support.waiting import until

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


def scraped(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


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

    home = Path(environment["TICKHOUSE_HOME"])
    listed = json.loads((home / "run" / "targets.json").read_bytes())
    at = {one["labels"]["process"]: one["targets"][0] for one in listed}
    assert at.keys() == before.keys() - {"bus"}
    for process, metric in (
        ("collector", 'ticks_total{source="sim",symbol="BTCUSD"}'),
        ("streams.ticks", "warehouse_blocks_total"),
        ("execution", 'equity{account="simulated",currency="USD"}'),
        ("collector", 'stage_seconds_bucket{le="1",stage="collect"}'),
    ):
        until(lambda at=at[process], name=metric: f"\ntickhouse_{name}" in scraped(at), every_s=0.2)

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
