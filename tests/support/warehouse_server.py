"""A real embedded warehouse in a process of its own, for tests.

Import the fixture by name: `from tests.support.warehouse_server import warehouse`.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client, migrate
from core import credentials
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from core.settings import environment_of
from tests.support import shared_folder

ROOT = Path(__file__).parents[2]
FEATURES = tuple(f"feature_{i:02d}" for i in range(26))


def command(home: Path, port: int) -> list[str]:
    """How the warehouse process is started."""
    module = "warehouse"
    return [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]


@dataclass
class Warehouse:
    """One server process on `home`. `url`, `client` and `settings` are of the running one."""

    home: Path
    port: int = 0
    environ: dict[str, str] = field(default_factory=dict)
    own_group: bool = False  # what it signals to its process group stays there
    cwd: Path = ROOT
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    clients: list[Client] = field(default_factory=list)

    @property
    def settings(self) -> ClickhouseSettings:
        """Signed in as the home's owner."""
        return self.settings_of(OWNER)

    def settings_of(self, name: str) -> ClickhouseSettings:
        """Signed in as one of the home's own users."""
        return sign_in(ClickhouseSettings(url=self.url, credentials=self.credentials), name)

    @property
    def credentials(self) -> str:
        return str(credentials.directory_of(self.home))

    @property
    def environment(self) -> dict[str, str]:
        """What a process on another home needs to use this warehouse."""
        return environment_of("clickhouse", url=self.url, credentials=self.credentials)

    def reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """This process, on whatever home, uses this warehouse from now on."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    @property
    def owner(self) -> dict[str, str]:
        """Headers of a request of the owner's."""
        where = self.settings
        return {"X-ClickHouse-User": where.user, "X-ClickHouse-Key": where.password}

    @property
    def client(self) -> Client:
        """A new client, closed with the server: no socket is left to the garbage collector."""
        connection = client.connect(self.settings)
        self.clients.append(connection)
        return connection

    def start(self) -> None:
        """Start and wait until it is ready. A restart keeps the port of the first start."""
        url_file = self.home / "run" / "warehouse.url"
        url_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            command(self.home, self.port),
            cwd=self.cwd,
            env=os.environ | self.environ,
            stdout=subprocess.DEVNULL,
            start_new_session=self.own_group,
        )
        deadline = time.monotonic() + 60
        while not (url_file.exists() and url_file.read_text()):
            assert self.process.poll() is None, "the warehouse ended before it was ready"
            assert time.monotonic() < deadline, "the warehouse was not ready within 60 s"
            time.sleep(0.01)
        self.url = url_file.read_text()
        self.port = int(self.url.rpartition(":")[2])

    def _close_clients(self) -> None:
        while self.clients:
            self.clients.pop().close()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._close_clients()
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        self._close_clients()
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def migrate(self) -> list[str]:
        """Apply the shipped migrations with 26 feature columns."""
        return migrate.apply(self.client, FEATURES)


def empty_tables(warehouse: Warehouse) -> None:
    """Truncate every table that has rows, but the migrations'."""
    connection = warehouse.client
    rows = connection.query(
        "SELECT name FROM system.tables WHERE database = 'tickhouse' "
        "AND engine LIKE '%MergeTree' AND name != 'schema_migration' AND total_rows > 0"
    ).result_rows
    for (name,) in rows:
        connection.command(f"TRUNCATE TABLE `{name}`")


def _with_tables(home: Path) -> None:
    """A home whose warehouse went through the shipped migrations, without a feature's column."""
    server = Warehouse(home)
    server.start()
    try:
        migrate.apply(server.client, ())
    finally:
        server.stop()


def tables() -> Path:
    """That home, made once, for nobody to change."""
    return shared_folder.once("tables", _with_tables)


def migrated(home: Path, features: Sequence[str] = FEATURES) -> Warehouse:
    """A running warehouse on a new home, with every table, and columns of these features."""
    # Of that home nothing but the engine: no user, no credential.
    shutil.copytree(tables() / "warehouse", home / "warehouse", symlinks=True)
    server = Warehouse(home)
    server.start()
    try:
        migrate.apply(server.client, features)
    except BaseException:
        server.stop()
        raise
    return server


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A migrated warehouse on a free port, one per test module."""
    server = migrated(tmp_path_factory.mktemp("warehouse"))
    yield server
    server.stop()
