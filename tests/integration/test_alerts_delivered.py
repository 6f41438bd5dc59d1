"""A process hangs, and people hear of it on every road: watch, a real Prometheus and Alertmanager.

The collector is stopped as a hung process is (SIGSTOP: no heartbeat, no tick), and goes on.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_receiver import Receiver
from tests.support.running_stack import healthy
from tests.support.servers import free_port
from tests.support.waiting import until

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PRESENT = bool(shutil.which("prometheus") and ALERTMANAGER)
pytestmark = [
    pytest.mark.process,
    pytest.mark.heavy(suite="browser"),
    pytest.mark.skipif(
        not PRESENT and not os.environ.get("REQUIRE_PROMETHEUS"),
        reason="no prometheus and alertmanager on PATH: scripts/system-packages brings them",
    ),
]
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[tuple[str, Receiver]]:
    """Its address, and who receives what it delivers."""
    port, folder = free_port(), tmp_path / "alertmanager"
    folder.mkdir()
    with Receiver() as receiver:
        route = {
            "receiver": "desk",
            "group_by": ["..."],
            "group_wait": "1s",
            "group_interval": "1s",
        }
        desk = {"name": "desk", "webhook_configs": [{"url": receiver.url, "send_resolved": True}]}
        (folder / "config.yml").write_text(json.dumps({"route": route, "receivers": [desk]}))
        assert ALERTMANAGER
        process = subprocess.Popen(
            [
                ALERTMANAGER, f"--config.file={folder / 'config.yml'}",
                f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield f"127.0.0.1:{port}", receiver
        finally:
            process.kill()
            process.wait()


def delivered(receiver: Receiver, status: str) -> set[tuple[str, str]]:
    alerts: list[dict[str, Any]] = [a for post in receiver.received for a in post["alerts"]]
    return {
        (a["labels"]["alertname"], a["labels"].get("subject", ""))
        for a in alerts
        if a["status"] == status
    }


def heard(receiver: Receiver, state: str) -> set[tuple[str, str]]:
    return {(p["rule"], p["subject"]) for p in receiver.received if p.get("state") == state}


def test_a_process_that_hangs_is_an_alert_on_every_road_and_then_over(
    tmp_path: Path, alertmanager: tuple[str, Receiver]
) -> None:
    address, receiver = alertmanager
    with Receiver() as ours:
        environment = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "TICKHOUSE_HOME": str(tmp_path / "home"),
            "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",
            "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
            "TICKHOUSE_ALERTS__WEBHOOK": ours.url,
            "TICKHOUSE_ALERTS__DIGEST_S": "0",
            "TICKHOUSE_RULES__ALERTMANAGER": address,
            "TICKHOUSE_RULES__EVERY_S": "1",
            "TICKHOUSE_RULES__PROCESS_DOWN_S": "15",
            "TICKHOUSE_RULES__FEED_STALE_S": "15",
        }
        up = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up", "--bare", "--prometheus"],
            cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            collector = healthy(environment, up).processes["collector"].pid
            silent = {("process_down", "collector"), ("feed_stale", "sim/BTCUSD")}
            theirs = {("ProcessDown", "collector"), ("FeedStale", "sim/BTCUSD")}
            os.kill(collector, signal.SIGSTOP)
            until(lambda: silent <= heard(ours, "fired"), 120, running=up)
            until(lambda: theirs <= delivered(receiver, "firing"), 120, running=up)
            listed = subprocess.run(
                [sys.executable, "-m", "cli.main", "alerts"],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert listed.returncode == 1
            assert "Process down: collector: silent for" in listed.stdout
            os.kill(collector, signal.SIGCONT)
            until(lambda: silent <= heard(ours, "resolved"), 120, running=up)
            until(lambda: theirs <= delivered(receiver, "resolved"), 120, running=up)
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate()
        assert up.returncode == 0
