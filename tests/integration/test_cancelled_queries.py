"""Statements whose client leaves before the answer are counted: as a metric, and in the log."""

import socket
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.process
_ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sleepEachRow(0) = 0"
_COUNTER = 'tickhouse_warehouse_cancelled_total{user="tickhouse.owner"}'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Warehouse]:
    running = migrated(tmp_path, ())
    yield running
    running.stop()


def begin(server: Warehouse, sql: str) -> socket.socket:
    """A request that is sent whole, its answer not read."""
    where = server.settings
    login = b64encode(f"{where.user}:{where.password}".encode()).decode()
    head = f"Host: 127.0.0.1\r\nAuthorization: Basic {login}\r\nContent-Length: {len(sql)}"
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"POST / HTTP/1.1\r\n{head}\r\n\r\n{sql}".encode())
    return connection


def cancelled(server: Warehouse) -> float:
    note = msgspec.json.decode((server.home / "run" / "warehouse.json").read_bytes())
    address = f"127.0.0.1:{note['health_port']}"
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(_COUNTER))


def test_whoever_leaves_is_counted_and_whoever_waits_is_not(server: Warehouse) -> None:
    client = server.client
    for _ in range(20):
        client.command("SELECT 1")
        client.query("SELECT number FROM numbers(100000)")
    assert cancelled(server) == 0

    waiting = [begin(server, _ENDLESS) for _ in range(3)]
    running = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(0)%'"
    until(lambda: client.query(running).result_rows[0][0] >= 4, 30.0)
    for connection in waiting:
        connection.close()
    until(lambda: cancelled(server) == 3, 30.0)

    log = (
        "SELECT count() FROM query_log"
        " WHERE code = 394 AND startsWith(query, 'SELECT count() FROM numbers')"
    )

    def logged() -> int:
        client.command("SYSTEM FLUSH LOGS")
        return int(client.query(log).result_rows[0][0])

    until(lambda: logged() == 3, 30.0)
