"""The API's process for tests, as `up` starts it: on a home, a bus and a warehouse."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api import keys
from api.scopes import SCOPES
from core.clock import SystemClock
from tests.support.waiting import until
from tests.support.warehouse_server import ROOT


def key_of(home: Path, *scopes: str, user: str = "ann", per_minute: int = 1_000_000) -> str:
    """A new key of a home, with all scopes when none is named."""
    now_us = SystemClock().now_us()
    key, text = keys.new_key(home, "a test", user, scopes or SCOPES, 1, per_minute, now_us)
    keys.save(home, {**keys.load(home), key.key_id: key})
    return text


@contextmanager
def api(home: Path, bus_url: str, warehouse: dict[str, str]) -> Iterator[str]:
    """The address of an API that answers; its log is `home/api.log`. It ends with 0 when told."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    environment = kept | warehouse | {
        "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": bus_url, "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    with (home / "api.log").open("ab") as log:
        line = [sys.executable, "-m", "api"]
        process = subprocess.Popen(line, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: _address(home), running=process)
        yield _address(home)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _address(home: Path) -> str:
    """Where it answers, as its health says; "" before."""
    try:
        port = json.loads((home / "run" / "api.json").read_text())["health_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return str(json.load(answer)["detail"])
    except (OSError, ValueError, KeyError):
        return ""
