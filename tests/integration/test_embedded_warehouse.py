"""The embedded warehouse as clients see it: a real process, clickhouse-connect, plain HTTP."""

import gzip
import http.client
import subprocess
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lz4.frame
import numpy as np
import pyarrow as pa
import pytest
import zstandard

from adapters.clickhouse import client, migrate
from adapters.clickhouse.native import Column, encode_block
from adapters.clickhouse.writer import Writer
from core.errors import UnavailableError, WarehouseError
from core.sections import ClickhouseSettings
from tests.support.warehouse_server import FEATURES, ROOT, Warehouse, command, migrated, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process


def post(
    warehouse: Warehouse, body: bytes = b"", headers: dict[str, str] | None = None, **params: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port)
    signed = {} if "user" in params else warehouse.owner
    path = "/?" + urllib.parse.urlencode(params)
    connection.request("POST", path, body, signed | (headers or {}))
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    return response.status, {k.lower(): v for k, v in response.headers.items()}, answer


def fresh_table(warehouse: Warehouse, columns: str = "a Int64, b String") -> str:
    connection = warehouse.client
    connection.command("DROP TABLE IF EXISTS scratch")
    connection.command(f"CREATE TABLE scratch ({columns}) ENGINE = MergeTree ORDER BY a")
    return "scratch"


def test_ping_answers_ok(warehouse: Warehouse) -> None:
    assert warehouse.client.ping()


def test_a_query_binds_parameters_of_every_kind(warehouse: Warehouse) -> None:
    text = "tab\t quote' backslash\\ line\n ümlaut"
    rows = warehouse.client.query(
        "SELECT {s:String}, {n:Int64}, {l:Array(String)}",
        parameters={"s": text, "n": -5, "l": ["a'b", "c"]},
    ).result_rows
    assert list(rows) == [(text, -5, ["a'b", "c"])]


def test_settings_in_the_url_hold_for_one_request_only(warehouse: Warehouse) -> None:
    sql = b"SELECT getSetting('max_block_size')"
    assert post(warehouse, sql, max_block_size="77")[2] == b"77\n"
    assert post(warehouse, sql)[2] != b"77\n"


def test_chains_of_comparisons_are_planned_as_written_until_one_asks_otherwise(
    warehouse: Warehouse,
) -> None:
    sql = b"SELECT getSetting('optimize_and_compare_chain')"
    assert post(warehouse, sql)[2] == b"false\n"
    assert post(warehouse, sql, optimize_and_compare_chain="1")[2] == b"true\n"


def test_the_query_may_stand_in_the_url_the_body_or_both(warehouse: Warehouse) -> None:
    assert post(warehouse, query="SELECT 1")[2] == b"1\n"
    assert post(warehouse, b"SELECT 1")[2] == b"1\n"
    assert post(warehouse, b"+ 2", query="SELECT 1")[2] == b"3\n"


def test_only_a_post_may_change_anything(warehouse: Warehouse) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port)
    for sql, status in (("SELECT 1", 200), ("CREATE DATABASE by_link", 500)):
        connection.request("GET", "/?max_threads=1&query=" + urllib.parse.quote(sql))
        response = connection.getresponse()
        assert (response.status, response.read()[:8]) == (
            status,
            b"1\n" if status == 200 else b"Code: 16",
        )
    connection.close()


def test_default_format_and_summary_are_reported(warehouse: Warehouse) -> None:
    status, headers, body = post(
        warehouse, b"SELECT 1 AS x", default_format="JSONEachRow", query_id="mine"
    )
    assert (status, body) == (200, b'{"x":1}\n')
    assert headers["x-clickhouse-query-id"] == "mine"
    assert headers["x-clickhouse-format"] == "JSONEachRow"
    assert '"read_rows": "1"' in headers["x-clickhouse-summary"]


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("SELECT * FROM no_such_table", 60, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1; SELECT 2", 62, 400),
        (f"SELECT count() FROM numbers({10**13}) SETTINGS max_execution_time = 1", 159, 408),
    ],
)
def test_an_error_carries_clickhouses_code(
    warehouse: Warehouse, sql: str, code: int, status: int
) -> None:
    answered, headers, body = post(warehouse, sql.encode(), database="tickhouse")
    assert answered == status
    assert headers["x-clickhouse-exception-code"] == str(code)
    assert body.startswith(b"Code: %d. DB::Exception" % code)


def test_an_unknown_setting_or_database_is_refused(warehouse: Warehouse) -> None:
    assert (
        post(warehouse, b"SELECT 1", no_such_setting="1")[1]["x-clickhouse-exception-code"] == "115"
    )
    assert (
        post(warehouse, b"SELECT 1", database="nowhere")[1]["x-clickhouse-exception-code"] == "81"
    )


def test_errors_reach_callers_in_our_words(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as caught, client.errors_translated():
        warehouse.client.query("SELECT * FROM no_such_table")
    assert caught.value.code == 60


def test_nobody_listening_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        client.connect(ClickhouseSettings(url="http://127.0.0.1:1"))


def test_rows_arrow_and_native_inserts_store_the_same(warehouse: Warehouse) -> None:
    table, connection = fresh_table(warehouse), warehouse.client
    connection.insert(table, [[1, "x\n'\0"]], column_names=["a", "b"])
    connection.insert_arrow(table, pa.table({"a": [2], "b": ["y"]}))
    connection.raw_insert(table, ["a", "b"], b"3\tz\n", fmt="TabSeparated")
    columns = [Column("a", "Int64", np.array([4])), Column("b", "String", ["w"])]
    with Writer(warehouse.settings) as writer:
        writer.insert(table, columns)
    rows = connection.query(f"SELECT a, b FROM {table} ORDER BY a").result_rows
    assert list(rows) == [(1, "x\n'\0"), (2, "y"), (3, "z"), (4, "w")]
    assert connection.query_arrow(f"SELECT count() AS n FROM {table}").to_pydict() == {"n": [4]}


def test_binary_that_looks_like_sql_is_stored_whole(warehouse: Warehouse) -> None:
    table = fresh_table(warehouse)
    texts = ["'; DROP TABLE scratch; --", '\0\n`"FORMAT Native\n(', "x" * 300] * 1000
    block = encode_block([Column("a", "Int64", np.arange(3000)), Column("b", "String", texts)])
    head = b"INSERT INTO scratch (a, b) FORMAT Native\n"
    assert post(warehouse, head + block, database="tickhouse")[0] == 200
    rows = warehouse.client.query(f"SELECT b FROM {table} ORDER BY a").result_rows
    assert [row[0] for row in rows] == texts


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("lz4", lz4.frame.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_bodies_may_be_compressed_both_ways(warehouse: Warehouse, encoding: str, compress) -> None:
    status, headers, body = post(
        warehouse,
        compress(b"SELECT repeat('a', 1000)"),
        {"Content-Encoding": encoding, "Accept-Encoding": encoding},
        enable_http_compression="1",
    )
    assert (status, headers["content-encoding"]) == (200, encoding)
    assert len(body) < 200


def test_a_compressing_client_reads_and_writes(warehouse: Warehouse) -> None:
    import clickhouse_connect

    table = fresh_table(warehouse)
    for method in ("lz4", "gzip"):
        connection = clickhouse_connect.get_client(
            host="127.0.0.1",
            port=warehouse.port,
            username=warehouse.settings.user,
            password=warehouse.settings.password,
            database="tickhouse",
            compress=method,
        )
        connection.insert(table, [[i, method] for i in range(1000)], column_names=["a", "b"])
        rows = connection.query(f"SELECT count() FROM {table} WHERE b = '{method}'").result_rows
        assert rows[0][0] == 1000


def test_a_truncated_block_stores_nothing(warehouse: Warehouse) -> None:
    table = fresh_table(warehouse)
    block = encode_block([Column("a", "Int64", np.arange(100)), Column("b", "String", "x")])
    head = f"INSERT INTO {table} (a, b) FORMAT Native\n".encode()
    assert post(warehouse, head + block[:-5], database="tickhouse")[0] != 200
    assert warehouse.client.query(f"SELECT count() FROM {table}").result_rows[0][0] == 0


def test_the_same_token_is_stored_once(warehouse: Warehouse) -> None:
    columns = [
        Column("stream", "LowCardinality(String)", "s"),
        Column("seq", "UInt64", np.arange(1, 11, dtype="<u8")),
    ]
    with Writer(warehouse.settings) as writer:
        for _ in range(3):
            writer.insert("audit_event", columns)
    count = warehouse.client.query("SELECT count() FROM audit_event WHERE stream = 's'")
    assert count.result_rows[0][0] == 10


def test_requests_run_side_by_side(warehouse: Warehouse) -> None:
    barrier = threading.Barrier(4)

    def one(number: int) -> int:
        connection = warehouse.client
        barrier.wait()
        rows = connection.query(f"SELECT sum(number) + {number} FROM numbers(1000000)").result_rows
        return int(rows[0][0]) - number

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(4))) == {499999500000}


def test_migrations_apply_once_and_add_new_features(warehouse: Warehouse) -> None:
    connection = warehouse.client
    assert migrate.apply(connection, [*FEATURES, "another_one"]) == []
    names = {row[0] for row in connection.query("DESCRIBE TABLE feature").result_rows}
    assert {*FEATURES, "another_one"} <= names


def test_every_column_says_what_it_holds(warehouse: Warehouse) -> None:
    rows = warehouse.client.query(
        "SELECT table, name FROM system.columns WHERE database = 'tickhouse' AND comment = '' "
        "AND table NOT LIKE '%_from_%' AND table NOT IN ('bar', 'scratch')"
    ).result_rows
    assert list(rows) == []


def test_a_second_server_on_the_same_home_is_refused(warehouse: Warehouse) -> None:
    second = subprocess.run(
        command(warehouse.home, port=0),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "already open in process" in second.stderr
    assert warehouse.client.ping()


def test_sigterm_drains_and_a_restart_finds_everything(tmp_path: Path) -> None:
    server = migrated(tmp_path)
    fresh_table(server)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(
            post,
            server,
            b"INSERT INTO scratch SELECT number + sleepEachRow(0.1), 'x' FROM numbers(10)",
            database="tickhouse",
        )
        while "scratch" not in str(post(server, b"SELECT query FROM system.processes")[2]):
            pass
        assert server.stop() == 0
        assert slow.result()[0] == 200
    assert not (tmp_path / "run" / "warehouse.json").exists()
    server.start()
    assert server.client.query("SELECT count() FROM scratch").result_rows[0][0] == 10
    assert server.migrate() == []
    assert server.stop() == 0
