"""The HTTP protocol of the embedded warehouse, one test per promise, with real clients."""

import http.client
import io
import json
import socket
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import lz4.frame
import numpy as np
import pytest
import urllib3
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from adapters.clickhouse.native import Column, encode_block
from tests.integration.test_embedded_warehouse import fresh_table, post
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

FOREVER = (
    b"SELECT count() FROM numbers(1e15) WHERE NOT ignore(sleepEachRow(0.01)) "
    b"SETTINGS max_block_size = 10, max_threads = 1"
)


@pytest.fixture(scope="module")
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as manager:
        yield manager


def signed(warehouse: Warehouse) -> dict[str, str]:
    where = warehouse.settings
    return {"user": where.user, "password": where.password}


def running(warehouse: Warehouse, marker: str) -> int:
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{marker}%' AND query NOT LIKE "
    return int(post(warehouse, (sql + "'%FROM system.processes%'").encode())[2])


def code(headers: dict[str, str]) -> str:
    return headers.get("x-clickhouse-exception-code", "")


def test_a_session_keeps_tables_settings_and_database(warehouse: Warehouse) -> None:
    name = str(uuid.uuid4())
    post(warehouse, b"CREATE TEMPORARY TABLE mine (a Int64)", session_id=name)
    post(warehouse, b"INSERT INTO mine VALUES (7)", session_id=name)
    post(warehouse, b"SET max_block_size = 77", session_id=name)
    post(warehouse, b"USE tickhouse", session_id=name)
    sql = b"SELECT a, getSetting('max_block_size'), currentDatabase() FROM mine"
    assert post(warehouse, sql, session_id=name)[2] == b"7\t77\ttickhouse\n"
    in_url = post(warehouse, sql, session_id=name, max_block_size="99", database="system")
    assert in_url[2] == b"7\t99\tsystem\n"
    assert post(warehouse, sql, session_id=name)[2] == b"7\t77\ttickhouse\n"
    assert post(warehouse, b"SELECT a FROM mine")[0] == 404


def test_a_link_in_a_session_changes_nothing_and_does_not_lock_it(
    warehouse: Warehouse, pool: urllib3.PoolManager
) -> None:
    name = str(uuid.uuid4())
    link = f"{warehouse.url}/?session_id={name}&query="
    assert pool.request("GET", link + "SELECT 1").data == b"1\n"
    refused = pool.request("GET", link + urllib.parse.quote("CREATE DATABASE by_link"))
    assert refused.headers["x-clickhouse-exception-code"] == "164"
    assert post(warehouse, b"CREATE TEMPORARY TABLE t (a Int8)", session_id=name)[0] == 200


def test_session_check_and_timeout_are_enforced(warehouse: Warehouse) -> None:
    name = str(uuid.uuid4())
    missing = post(warehouse, b"SELECT 1", session_id=name, session_check="1")
    assert code(missing[1]) == "372"
    assert code(post(warehouse, b"SELECT 1", session_id=name, session_timeout="7200")[1]) == "374"
    assert post(warehouse, b"SELECT 1", session_id=name, session_timeout="1")[0] == 200
    time.sleep(1.2)  # a fixed time, as it is what is tested: each look would begin it anew
    assert code(post(warehouse, b"SELECT 1", session_id=name, session_check="1")[1]) == "372"


def test_a_session_in_use_is_locked(warehouse: Warehouse) -> None:
    name = str(uuid.uuid4())
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, warehouse, b"SELECT sleep(2), 'locks'", session_id=name)
        until(lambda: running(warehouse, "locks"))
        assert code(post(warehouse, b"SELECT 1", session_id=name)[1]) == "373"
        assert slow.result()[0] == 200
    assert post(warehouse, b"SELECT 1", session_id=name)[0] == 200


@pytest.mark.parametrize("shown", ["Native", "RowBinary", "JSONEachRow"])
def test_a_large_answer_is_streamed_whole(
    warehouse: Warehouse, pool: urllib3.PoolManager, shown: str
) -> None:
    sql = f"SELECT number, toString(number) AS s FROM numbers(500000) FORMAT {shown}".encode()
    streamed = pool.request("POST", warehouse.url, body=sql, preload_content=False)
    assert "content-length" not in streamed.headers
    assert streamed.headers["x-clickhouse-format"] == shown
    whole = post(warehouse, sql, wait_end_of_query="1")
    assert int(whole[1]["content-length"]) == len(whole[2])
    if shown == "Native":  # blocks are cut elsewhere
        assert len(streamed.read()) > 500_000 * 8
        assert warehouse.client.query(sql.decode().rpartition(" F")[0]).row_count == 500_000
    else:
        assert streamed.read() == whole[2]


@pytest.mark.parametrize("shown", ["Parquet", "JSON", "CSVWithNames", "Arrow"])
def test_other_formats_come_in_one_piece(warehouse: Warehouse, shown: str) -> None:
    sql = f"SELECT number FROM numbers(300000) FORMAT {shown}".encode()
    status, headers, body = post(warehouse, sql)
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    if shown == "JSON":
        assert json.loads(body)["rows"] == 300_000


def test_an_exception_in_mid_stream_reaches_the_client(warehouse: Warehouse) -> None:
    sql = "SELECT number, throwIf(number = 2000000, 'too far') FROM numbers(3000000)"
    client = warehouse.client
    with pytest.raises((StreamFailureError, DatabaseError), match="too far"):
        client.query(sql)
    client.close()
    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port)
    connection.request("POST", "/", sql.encode() + b" FORMAT JSONEachRow")
    response = connection.getresponse()
    assert response.status == 200
    tag = response.headers["x-clickhouse-exception-tag"]
    with pytest.raises(http.client.IncompleteRead) as cut:
        response.read()
    response.close()
    connection.close()
    start = b"\r\n__exception__\r\n" + tag.encode() + b"\r\nCode: 395"
    assert start in cut.value.partial
    assert cut.value.partial.endswith(tag.encode() + b"\r\n__exception__\r\n")
    waited = post(warehouse, sql.encode(), wait_end_of_query="1")
    assert (waited[0], code(waited[1])) == (500, "395")


def test_forms_bring_parameters_and_external_tables(
    warehouse: Warehouse, pool: urllib3.PoolManager
) -> None:
    answer = pool.request(
        "POST",
        f"{warehouse.url}/?query="
        + urllib.parse.quote("SELECT sum(a) * {f:Int64} FROM ext JOIN two ON b = _2"),
        fields={
            "param_f": "10",
            "ext_structure": "a Int64, b String",
            "ext_format": "CSV",
            "ext": ("x.csv", b'1,"p\r\nq"\n2,r\n', "text/csv"),
            "two_types": "Decimal(9, 2),String",
            "two": ("y.tsv", b"1.5\tr\n", "text/plain"),
        },
    )
    assert (answer.status, answer.data) == (200, b"20\n")


def test_clickhouse_connect_sends_external_data_and_forms(warehouse: Warehouse) -> None:
    from clickhouse_connect.driver.external import ExternalData

    data = ExternalData(file_name="ids.csv", fmt="CSV", structure="id Int64", data=b"1\n2\n")
    client = warehouse.client
    assert list(client.query("SELECT sum(id) FROM ids", external_data=data).result_rows) == [(3,)]
    client.close()


def test_headers_stand_for_parameters(warehouse: Warehouse) -> None:
    names = {"X-ClickHouse-Database": "tickhouse", "X-ClickHouse-Format": "JSONCompactEachRow"}
    status, headers, body = post(warehouse, b"SELECT currentDatabase()", names | warehouse.owner)
    assert (status, body) == (200, b'["tickhouse"]\n')
    assert headers["x-clickhouse-timezone"]
    assert uuid.UUID(headers["x-clickhouse-query-id"])


@pytest.mark.parametrize("name", ["lz4", "zstd", "gzip", "deflate", "br"])
def test_streamed_answers_are_compressed_when_allowed(warehouse: Warehouse, name: str) -> None:
    from warehouse.protocol.encoding import decode

    sql = b"SELECT number FROM numbers(400000) FORMAT RowBinary"
    accept = {"Accept-Encoding": name}
    plain = post(warehouse, sql, accept)
    assert "content-encoding" not in plain[1]
    packed = post(warehouse, sql, accept, enable_http_compression="1")
    assert packed[1]["content-encoding"] == name
    assert decode(packed[2], name) == plain[2]


@pytest.mark.parametrize(
    ("sql", "number", "status"),
    [
        ("SELECT no_such_function()", 46, 404),
        ("SELECT nothing_here", 47, 404),
        ("SELECT toInt8('x')", 6, 400),
        ("SELECT 1 FORMAT Nonsense", 73, 404),
        ("SELECT * FROM nowhere.t", 81, 404),
        ("SELECT 1 SETTINGS no_such_setting = 1", 115, 404),
        ("SELECT sum(number) FROM numbers(1e9) SETTINGS max_memory_usage = 1000", 241, 500),
    ],
)
def test_each_error_has_clickhouses_status(
    warehouse: Warehouse, sql: str, number: int, status: int
) -> None:
    answered, headers, _ = post(warehouse, sql.encode())
    assert (code(headers), answered) == (str(number), status)


def test_grafanas_driver_gets_blocks_of_its_revision(warehouse: Warehouse) -> None:
    sql = b"SELECT toLowCardinality('x') AS a, 1.5::Decimal(18, 8) AS p, now64(6) AS t"
    plain = post(warehouse, sql + b" FORMAT Native")[2]
    revised = post(warehouse, sql, default_format="Native", client_protocol_version="54480")[2]
    assert revised.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00" + plain[:2])
    assert len(revised) == len(plain) + 8 + 3
    empty = post(
        warehouse, sql + b" WHERE 0", default_format="Native", client_protocol_version="54480"
    )[2]
    assert empty.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x03\x00\x01a")
    tables = warehouse.client.query(
        "SELECT name FROM system.tables WHERE database = 'tickhouse' "
        "AND engine LIKE '%MergeTree' AND name NOT LIKE 'bar%' AND name NOT LIKE '.inner%'"
    ).result_rows
    assert len(tables) > 10
    for (table,) in tables:
        answer = post(
            warehouse,
            f"SELECT * FROM tickhouse.`{table}` LIMIT 100".encode(),
            default_format="Native",
            client_protocol_version="54480",
        )
        assert answer[0] == 200, (table, answer[2])


def test_a_query_is_killed_by_the_clients_id(warehouse: Warehouse) -> None:
    name = "mine */ 'quoted'"
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, warehouse, FOREVER, query_id=name)
        until(lambda: running(warehouse, "query_id=mine%20"))
        assert code(post(warehouse, b"SELECT 1", query_id=name)[1]) == "216"
        other = post(warehouse, b"KILL QUERY WHERE query_id = 'another' SYNC")
        assert other[2] == b""
        killed = post(warehouse, b"KILL QUERY WHERE query_id = 'mine */ \\'quoted\\'' SYNC")
        assert killed[0] == 200
        status, headers, body = slow.result()
    assert (status, code(headers)) == (500, "394")
    assert b"query_id=" not in body


@pytest.mark.parametrize("sql", [FOREVER, b"SELECT number FROM numbers(1e12) FORMAT RowBinary"])
def test_a_query_ends_when_its_client_leaves(warehouse: Warehouse, sql: bytes) -> None:
    """`wait_until` fails when its time is over."""
    name = uuid.uuid4().hex
    with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
        parameters = {"query_id": name, **signed(warehouse)}
        head = f"POST /?{urllib.parse.urlencode(parameters)} HTTP/1.1\r\nHost: localhost\r\n"
        client.sendall(f"{head}Content-Length: {len(sql)}\r\n\r\n".encode() + sql)
        until(lambda: running(warehouse, name))
    until(lambda: not running(warehouse, name))


def test_an_empty_native_answer_names_its_columns(warehouse: Warehouse) -> None:
    sql = "SELECT 1::Int8 AS a, 'x' AS `b c` WHERE 0 FORMAT Native;"
    expected = encode_block([Column("a", "Int8", np.empty(0)), Column("b c", "String", [])])
    assert post(warehouse, sql.encode())[2] == expected
    frame = warehouse.client.query("SELECT 1::Int8 AS a WHERE 0")
    assert frame.column_names == ("a",)


@pytest.mark.heavy(suite="warehouse")  # as much work as thirty of the others
def test_a_large_insert_is_streamed_and_never_cut(
    warehouse: Warehouse, pool: urllib3.PoolManager
) -> None:
    table = fresh_table(warehouse, "a Int64")
    block = np.arange(1 << 17, dtype="<i8").tobytes()

    def memory() -> int:
        assert warehouse.process is not None
        status = Path(f"/proc/{warehouse.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    before, seen = memory(), []

    def body():
        for _ in range(600):
            seen.append(memory())
            yield block

    answer = pool.request(
        "POST",
        f"{warehouse.url}/?query=INSERT+INTO+tickhouse.{table}+FORMAT+RowBinary",
        body=body(),
        headers=warehouse.owner,
    )
    assert answer.status == 200, answer.data
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == str(600 << 17)
    rows = post(warehouse, f"SELECT count(), max(a) FROM tickhouse.{table}".encode())[2]
    assert rows == b"%d\t%d\n" % (600 << 17, (1 << 17) - 1)
    assert max(seen) - before < 450, "600 MiB of data took as much memory"


@pytest.mark.parametrize("encoding", ["lz4", "zstd"])
def test_large_inserts_arrive_compressed_and_as_values(warehouse: Warehouse, encoding: str) -> None:
    table = fresh_table(warehouse)
    packer = lz4.frame.compress if encoding == "lz4" else zstandard.ZstdCompressor().compress
    rows = ",".join(f"({i}, '{uuid.UUID(int=i * 2**64 + i * 7919)}é')" for i in range(100_000))
    sql = f"INSERT INTO tickhouse.{table} VALUES {rows}".encode()
    assert post(warehouse, sql)[0] == 200
    block = encode_block(
        [
            Column("a", "Int64", np.random.default_rng(1).integers(0, 2**62, 300_000)),
            Column("b", "String", ["x"] * 300_000),
        ]
    )
    head = f"INSERT INTO {table} FORMAT Native\n".encode()
    status = post(
        warehouse, packer(head + block), {"Content-Encoding": encoding}, database="tickhouse"
    )[0]
    assert status == 200
    counted = post(
        warehouse, f"SELECT count(), countIf(b LIKE '%é') FROM tickhouse.{table}".encode()
    )
    assert counted[2] == b"400000\t100000\n"


def test_an_upload_that_breaks_off_leaves_the_server_well(warehouse: Warehouse) -> None:
    table = fresh_table(warehouse, "a Int64")
    with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
        into = {"query": f"INSERT INTO tickhouse.{table} FORMAT RowBinary", **signed(warehouse)}
        path = f"/?{urllib.parse.urlencode(into)}"
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n".encode()
        )
        client.sendall(b"12345678" * 400_000)
        until(lambda: running(warehouse, f"tickhouse.{table}"))
    until(lambda: not running(warehouse, f"tickhouse.{table}"))
    assert post(warehouse, f"SELECT count() FROM tickhouse.{table}".encode())[2] == b"0\n"


def test_small_async_inserts_share_statements_and_keep_their_own_errors(
    warehouse: Warehouse,
) -> None:
    table = fresh_table(warehouse)
    bodies = [f'INSERT INTO {table} FORMAT JSONEachRow {{"a": {i}, "b": "j"}}' for i in range(100)]
    bodies += [f"INSERT INTO {table} VALUES ({i}, 'v;)')" for i in range(100)]
    bodies += [f'INSERT INTO {table} FORMAT JSONEachRow {{"a": "bad", "b": "j"}}'] * 3
    bodies += [f"INSERT INTO {table} VALUES (1, 'open"] * 3
    with ThreadPoolExecutor(32) as pool:
        answers = list(
            pool.map(
                lambda body: post(warehouse, body.encode(), async_insert="1", database="tickhouse"),
                bodies,
            )
        )
    assert [answer[0] for answer in answers[:200]] == [200] * 200
    assert all(answer[0] != 200 for answer in answers[200:])
    counted = post(
        warehouse,
        f"SELECT b, count(), uniq(a) FROM tickhouse.{table} GROUP BY b ORDER BY b".encode(),
    )
    assert counted[2] == b"j\t100\t100\nv;)\t100\t100\n"
    parts = post(
        warehouse,
        f"SELECT count() FROM system.parts WHERE table = '{table}' AND level = 0".encode(),
    )
    assert int(parts[2]) < 200


def test_a_stalled_client_blocks_nobody(warehouse: Warehouse) -> None:
    sql = b"SELECT number, 'stalls' FROM numbers(1e10) FORMAT RowBinary"
    stalled = []
    for _ in range(20):  # more than there are threads
        client = socket.create_connection(("127.0.0.1", warehouse.port))
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(sql) + sql
        )
        stalled.append(client)
    half = socket.create_connection(("127.0.0.1", warehouse.port))
    half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nSELECT")
    until(lambda: running(warehouse, "stalls") == 20)
    assert post(warehouse, b"SELECT sum(number) FROM numbers(1000)")[2] == b"499500\n"
    for client in (*stalled, half):
        client.close()
    until(lambda: not running(warehouse, "stalls"))


def test_a_full_queue_refuses_at_once(warehouse: Warehouse) -> None:
    answers: list[tuple[int, dict[str, str], bytes]] = []
    name = uuid.uuid4().hex
    lock = threading.Lock()

    def ask(number: int) -> None:
        answer = post(warehouse, b"SELECT sleep(0.2)", query_id=f"{name}-{number}")
        with lock:
            answers.append(answer)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(320)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer[0] != 200]
    assert refused
    assert {(answer[0], code(answer[1])) for answer in refused} == {(503, "202")}
    assert len(answers) - len(refused) >= 256
    assert post(warehouse, b"SELECT 1")[0] == 200


def test_a_session_per_client_library_object_is_fine(warehouse: Warehouse) -> None:
    for _ in range(20):
        client = clickhouse_connect.get_client(
            host="127.0.0.1",
            port=warehouse.port,
            username=warehouse.settings.user,
            password=warehouse.settings.password,
        )
        client.command("CREATE TEMPORARY TABLE t (a Int64)")
        client.insert("t", [[1], [2]], column_names=["a"])
        assert client.query("SELECT sum(a) FROM t").result_rows[0][0] == 3
        out = io.BytesIO(client.raw_query("SELECT a FROM t ORDER BY a FORMAT CSV"))
        assert out.read() == b"1\n2\n"
        client.close()
