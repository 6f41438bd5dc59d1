"""What compose.yaml starts, started: its commands and environments, over a real Kafka.

Without containers, as there is no engine here: each process by itself, started again when it
ends (`restart: unless-stopped`), the embedded warehouse in the place of the ClickHouse server.
Dagster's are left to test_dagster_up.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from adapters.clickhouse import client
from core import identity
from core.probe import probe
from core.sections import ClickhouseSettings
from tests.kafka.broker import Broker
from tests.support.servers import free_port
from tests.support.waiting import until
from tests.support.warehouse_server import ROOT, Warehouse

pytestmark = pytest.mark.heavy(suite="kafka")

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
PASSWORD = "a secret in a file"
ORDER = (
    "terminal", "collector", "streams.ticks", "streams.signals", "streams.executions", "execution",
    "quix.exposure", "watch", "board",
)  # fmt: skip


class Composed:
    """The services of compose.yaml as plain processes on a home of their own."""

    def __init__(self, home: Path, moved: dict[str, str]) -> None:
        """`moved`: where what the file names is here."""
        self.home, self._moved = home, moved
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, name: str) -> dict[str, str]:
        """The service's own, moved; nothing of ours but what a process needs to run at all."""
        own = {key: self._here(str(value)) for key, value in COMPOSE[name]["environment"].items()}
        # A prefix of its own, as the broker serves other tests too; fast to the first bar.
        own |= {"TICKHOUSE_BUS__TOPIC_PREFIX": f"{self.home.parent.name}."}
        return {"PATH": os.environ["PATH"], "TICKHOUSE_HOME": str(self.home), **own}

    def run(self, name: str) -> subprocess.Popen[bytes]:
        words = [self._here(word) for word in COMPOSE[name]["command"]]
        if words[0] == "tickhouse":
            words[:1] = [sys.executable, "-m", "cli.main"]
        words[0] = sys.executable
        log = (self.home / f"{name}.log").open("ab")
        with log:
            started = subprocess.Popen(
                words, cwd=ROOT, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
            )
        self.running[name] = started
        return started

    def healthy(self, name: str) -> bool:
        """Its health check's answer; one that ended is started again, as the engine does."""
        if self.running[name].poll() is not None:
            self.run(name)
        return probe(name, self.home)[0]

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def _here(self, text: str) -> str:
        for there, here in self._moved.items():
            text = text.replace(there, here)
        return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)  # what the host does not set


@pytest.fixture
def composed(tmp_path: Path, kafka: Broker) -> Iterator[tuple[Composed, Warehouse]]:
    warehouse = Warehouse(tmp_path / "server")
    warehouse.home.mkdir()
    user = identity.new_user("tickhouse", "admin", PASSWORD)
    identity.save(identity.path_in(warehouse.home), {user.name: user})
    warehouse.start()
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    home = tmp_path / "home"
    home.mkdir()
    stack = Composed(
        home,
        {
            "kafka://127.0.0.1:9092": f"kafka://{kafka.address}",
            "http://127.0.0.1:8123": warehouse.url,
            "/run/secrets/clickhouse": str(tmp_path / "secret"),
            "/var/lib/tickhouse": str(home),
            "18812": str(free_port()),
            "8050": "0",
        },
    )
    try:
        yield stack, warehouse
    finally:
        for process in stack.running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        warehouse.stop()


@pytest.mark.process
def test_the_composed_processes_carry_ticks_to_tables_and_end_when_asked(composed):
    stack, warehouse = composed
    assert stack.run("prepare").wait(60) == 0, stack.log("prepare")
    for name in ORDER:
        stack.run(name)
    for name in ORDER:
        until(lambda name=name: stack.healthy(name), 120.0, every_s=0.1)
    where = ClickhouseSettings(url=warehouse.url, user="tickhouse", password=PASSWORD)
    asker = client.connect(where)

    def rows(table: str) -> int:
        return int(asker.query(f"SELECT count() FROM tickhouse.{table}").first_row[0])

    for table in ("tick", "bar", "feature", "account_state"):
        until(lambda table=table: rows(table), every_s=0.1)
    asker.close()
    for name in reversed(ORDER):
        stack.running[name].send_signal(signal.SIGTERM)
    ended = {name: stack.running[name].wait(30) for name in ORDER}
    assert ended == dict.fromkeys(ORDER, 0), {n: stack.log(n) for n, code in ended.items() if code}
