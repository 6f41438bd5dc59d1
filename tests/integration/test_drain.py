"""`tickhouse up` on a busy machine ends by itself: no process of it has to be killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from adapters.clickhouse.client import connect
from core.credentials import directory_of
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from tests.support.silent_server import SilentServer

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival"), pytest.mark.timeout(600)]

_ROOT = Path(__file__).parents[2]
_ENDLESS = "SELECT count() FROM numbers(1000000000000000) WHERE cityHash64(number) = 1"


@contextmanager
def busy_cores() -> Iterator[None]:
    """Twice as many processes that only burn as there are cores."""
    line = [sys.executable, "-c", "while True: pass"]
    with ExitStack() as stack:
        for _ in range(2 * (os.cpu_count() or 1)):
            burning = stack.enter_context(subprocess.Popen(line))
            stack.callback(burning.kill)
        yield


def test_under_load_everything_ends_by_itself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with SilentServer() as dead_webhook:
        environ = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "TICKHOUSE_HOME": str(home),
            "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
            "TICKHOUSE_ALERTS__WEBHOOK": f"http://127.0.0.1:{dead_webhook.port}/hook",
        }
        line = [sys.executable, "-u", "-m", "cli.main", "up", "--bare"]
        up = subprocess.Popen(line, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
        busy = ExitStack()
        try:
            url = wait_for_all(up)
            busy.enter_context(busy_cores())
            asking = threading.Thread(target=ask, args=(url, home))
            asking.start()
            halt = [sys.executable, "-m", "cli.main", "halt", "--by", "tests", "--reason", "drain"]
            subprocess.run(halt, env=environ, check=True, stdout=subprocess.DEVNULL)
            dead_webhook.called.wait()  # watch tells it, and gets no answer
            up.send_signal(signal.SIGINT)
            output, _ = up.communicate(timeout=300)
        finally:
            busy.close()
            up.kill()
            up.wait()
        asking.join()
    assert up.returncode == 0
    assert "Killed" not in output
    supervised = (home / "logs" / "supervisord.log").read_text()
    ends = [line for line in supervised.splitlines() if " stopped: " in line]
    assert len(ends) >= 13, supervised
    assert "SIGKILL" not in supervised, supervised


def wait_for_all(up: "subprocess.Popen[str]") -> str:
    """The warehouse's address, once every process is ready."""
    assert up.stdout is not None
    url = ""
    for line in up.stdout:
        if "ClickHouse HTTP" in line:
            url = next(word for word in line.split() if word.startswith("http://"))
        ready, _, all_of_them = line.partition(" ready")[0].partition(" of ")
        if all_of_them and ready == all_of_them:
            return url
    raise AssertionError("up ended")


def ask(url: str, home: Path) -> None:
    """A statement that somebody waits for, and that never ends by itself."""
    where = ClickhouseSettings(url=url, credentials=str(directory_of(home)))
    client = connect(sign_in(where, OWNER))
    try:
        client.query(_ENDLESS)
    except Exception:
        return
    finally:
        client.close()
