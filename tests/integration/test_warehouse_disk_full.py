"""A full disk refuses inserts, keeps what it acknowledged, and takes inserts again with space."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from tests.integration.test_warehouse_survives import BLOCK, ticks_of
from tests.support.small_disk import fill, small_disk
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]

__all__ = ["small_disk"]

_ROW = 256 << 10


@pytest.fixture
def cramped(small_disk: Path) -> Iterator[Warehouse]:
    """A warehouse with a table `page` and little space left."""
    server = migrated(small_disk / "home")
    try:
        server.client.command(
            "CREATE TABLE page (content String) ENGINE = MergeTree ORDER BY tuple() "
            "SETTINGS min_free_disk_bytes_to_perform_insert = 4194304"
        )
        yield server
    finally:
        server.stop()


def page(rows: int) -> bytes:
    """Rows that no codec makes smaller, as RowBinary."""
    return b"".join(b"\x80\x80\x10" + os.urandom(_ROW) for _ in range(rows))


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    """Connections that end with the test."""
    with urllib3.PoolManager(maxsize=4) as manager:
        yield manager


def send(http: urllib3.PoolManager, server: Warehouse, sql: str, body: bytes, session: str) -> str:
    """The error code of a statement; empty when it was done."""
    query = {"query": sql, "database": "tickhouse"} | ({"session_id": session} if session else {})
    answer = http.request(
        "POST", f"{server.url}/?{urlencode(query)}", body=body, headers=server.owner
    )
    return answer.headers.get("X-ClickHouse-Exception-Code", "")


def insert(http: urllib3.PoolManager, server: Warehouse, rows: int, session: str = "") -> str:
    """Insert random rows, above 4 in a streamed body; the error code."""
    return send(http, server, "INSERT INTO page FORMAT RowBinary", page(rows), session)


def stored(server: Warehouse) -> int:
    """How many rows are in `page`."""
    return int(server.client.query("SELECT count() FROM page").result_rows[0][0])


def test_a_full_disk_refuses_inserts_and_loses_nothing_acknowledged(
    cramped: Warehouse, small_disk: Path, http: urllib3.PoolManager
) -> None:
    filler = fill(small_disk, leave_mib=16)
    acknowledged, refused = [0] * 4, set[str]()

    def write(number: int) -> None:
        rows = (1, 2, 8, 12)[number]  # whole bodies and streamed ones
        for _ in range(8):
            code = insert(http, cramped, rows)
            if code:
                refused.add(code)
            else:
                acknowledged[number] += rows

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert refused, "the disk was never full: the test tested nothing"
    assert refused <= {"243", "319"}
    assert stored(cramped) == sum(acknowledged)  # reads go on
    filler.unlink()
    assert insert(http, cramped, 4) == ""
    assert stored(cramped) == sum(acknowledged) + 4
    cramped.kill()
    cramped.start()
    assert stored(cramped) == sum(acknowledged) + 4


def test_an_insert_beside_another_s_failure_is_still_acknowledged(
    cramped: Warehouse, http: urllib3.PoolManager
) -> None:
    for session in ("", "kept"):
        assert send(http, cramped, "INSERT INTO page SELECT throwIf(1)", b"", session) == "395"
        assert insert(http, cramped, 1, session) == ""  # the count has moved: asked precisely
        assert send(http, cramped, "INSERT INTO page SELECT throwIf(1)", b"", session) == "395"
        assert insert(http, cramped, 8, session) == ""
    assert stored(cramped) == 18


def test_the_product_s_writer_waits_for_space(cramped: Warehouse, small_disk: Path) -> None:
    filler = fill(small_disk, leave_mib=0)
    with Writer(cramped.settings) as writer:
        inserting = threading.Thread(
            target=writer.insert, args=("tick", tick_columns("sim", "EURUSD", ticks_of(0)))
        )
        inserting.start()
        while not writer.retries and inserting.is_alive():
            inserting.join(0.01)
        assert writer.retries, "the block found space: the test tested nothing"
        filler.unlink()
        inserting.join(60)
        assert writer.blocks == 1
    rows = cramped.client.query("SELECT count() FROM tick FINAL").result_rows
    assert rows == [(BLOCK,)]
