"""`tickhouse up` fills the panels of exposure and message rate, on either bus."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from core.credentials import directory_of
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from core.settings import environment_of
from tests.kafka.broker import Broker
from tests.support.board_panels import targets, with_parameters
from tests.support.buses import on_kafka
from tests.support.running_stack import healthy
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]
_ROOT = Path(__file__).parents[2]
_STRATEGY = str(_ROOT / "tests" / "support" / "restless.py")
_PANELS = ("Exposure", "Messages to the broker")


@pytest.mark.heavy(suite="survival")
def test_a_plain_up_fills_the_panels(tmp_path: Path) -> None:
    assert set(trading(tmp_path)) >= {"collector", "streams.executions"}


def test_on_kafka_up_starts_the_quix_applications(kafka: Broker, tmp_path: Path) -> None:
    bus = msgspec.structs.asdict(on_kafka(kafka).settings)
    commands = trading(tmp_path, **environment_of("bus", **bus))
    assert commands["collector"][-2:] == ["streams.quix", "collector"]
    assert commands["quix.exposure"][-2:] == ["streams.quix", "exposure"]


def trading(tmp_path: Path, **more: str) -> dict[str, list[str]]:
    """Runs until the panels have rows; the commands of its processes by their names."""
    home = tmp_path / "home"
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")},
        "PYTHONPATH": str(_ROOT),
        "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
        "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
        **more,
    }
    line = [sys.executable, "-m", "cli.main", "up", "--strategy", _STRATEGY]
    log = tmp_path / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(line, cwd=tmp_path, env=environ, stdout=output, stderr=output)
    try:
        running = healthy(environ, up)
        assert running.stack is not None
        wait_for_rows(running.stack.urls["warehouse"], home, up)
        return {
            name: Path(f"/proc/{process.pid}/cmdline").read_text().strip("\0").split("\0")
            for name, process in running.processes.items()
        }
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait()


def wait_for_rows(url: str, home: Path, up: "subprocess.Popen[bytes]") -> None:
    """Until each panel's own statement, as Grafana sends it, is answered with rows."""
    where = ClickhouseSettings(url=url, credentials=str(directory_of(home)))
    client: Client = connect(sign_in(where, OWNER))
    try:
        for title, _, sql in targets("trading"):
            if title in _PANELS:
                until(partial(_has_rows, client, sql), 300.0, running=up, every_s=0.2)
    finally:
        client.close()


def _has_rows(client: Client, sql: str) -> bool:
    # Its span is that of the ticks, which are not there at once.
    return bool(client.query(with_parameters(client, "marts", "demo", sql)).result_rows)
