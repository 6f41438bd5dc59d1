"""What people, scripts and attackers send wrongly: ClickHouse's answer, no secret, no crash."""

import gzip
import http.client
import socket
import struct
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import lz4.frame
import pytest

from core import identity
from tests.support.warehouse_server import Warehouse
from warehouse.protocol.block_frames import FrameEncoder

pytestmark = pytest.mark.process
PASSWORD = "s3cret-word"
FRAME = FrameEncoder().compress(b"SELECT 1")
FORM = "multipart/form-data; boundary=b"


@dataclass(frozen=True)
class Bad:
    """A request that is wrong. `user` empty: as `root`, the admin."""

    body: bytes
    status: int
    code: int
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


ANN = {"user": "ann", "password": PASSWORD}


CASES: dict[str, Bad] = {
    "no statement": Bad(b"SELEC 1", 400, 62),
    "half a statement": Bad(b"SELECT (1", 400, 62),
    "an open quote": Bad(b"SELECT 'x", 400, 62),
    "two statements": Bad(b"SELECT 1; SELECT 2", 400, 62),
    "two statements of an analyst": Bad(b"SELECT 1; DROP TABLE tick", 400, 62, ANN),
    "a wrong password": Bad(b"SELECT 1", 403, 516, {"user": "root", "password": "guess-me"}),
    "an unknown user": Bad(b"SELECT 1", 403, 516, {"user": "nobody", "password": PASSWORD}),
    "a broken Authorization": Bad(
        b"SELECT 1", 403, 516, {"user": ""}, {"Authorization": "Basic ???"}
    ),
    "an unknown encoding": Bad(b"x", 501, 48, {}, {"Content-Encoding": "snappy"}),
    "plain text called gzip": Bad(b"SELECT 1", 500, 354, {}, {"Content-Encoding": "gzip"}),
    "plain text called lz4": Bad(b"SELECT 1", 500, 618, {}, {"Content-Encoding": "lz4"}),
    "plain text called zstd": Bad(b"SELECT 1", 500, 561, {}, {"Content-Encoding": "zstd"}),
    "plain text called br": Bad(b"SELECT 1\0\0", 500, 448, {}, {"Content-Encoding": "br"}),
    "a gzip body that is cut": Bad(
        gzip.compress(b"SELECT 1")[:-4], 500, 354, {}, {"Content-Encoding": "gzip"}
    ),
    "an lz4 body that is cut": Bad(
        lz4.frame.compress(b"SELECT 1")[:-4], 500, 618, {}, {"Content-Encoding": "lz4"}
    ),
    "a block with a wrong checksum": Bad(b"\0" + FRAME[1:], 500, 40, {"decompress": "1"}),
    "a block with a flipped bit": Bad(FRAME[:-1] + b"\0", 500, 40, {"decompress": "1"}),
    "a block that is cut": Bad(FRAME[:-1], 500, 33, {"decompress": "1"}),
    "a block of 4 GiB": Bad(
        b"\0" * 16 + struct.pack("<BII", 0x82, 2**32 - 1, 1), 500, 39, {"decompress": "1"}
    ),
    "no blocks at all": Bad(b"SELECT 1", 500, 33, {"decompress": "1"}),
    "an unknown setting": Bad(b"SELECT 1", 404, 115, {"no_such_setting": "1"}),
    "a setting's name with a quote": Bad(b"SELECT 1", 404, 115, {"a' = 1, b": "1"}),
    "a setting's value of another type": Bad(b"SELECT 1", 400, 27, {"max_threads": "many"}),
    "an unknown database": Bad(b"SELECT 1", 404, 81, {"database": "no`such' db"}),
    "an unknown table": Bad(b"SELECT * FROM `no'such\\`table`", 404, 60),
    "an unknown column": Bad(b"SELECT nothing_here", 404, 47),
    "an unknown function": Bad(b"SELECT no_such_function()", 404, 46),
    "an unknown format": Bad(b"SELECT 1 FORMAT Nonsense", 404, 73),
    "an unbound parameter": Bad(b"SELECT {x:Int64}", 500, 456),
    "a parameter of another type": Bad(b"SELECT {x:Int64}", 500, 457, {"param_x": "one"}),
    "a file, as analyst": Bad(b"SELECT * FROM file('/etc/passwd', 'LineAsString')", 403, 497, ANN),
    "a file by a scalar": Bad(b"SELECT file('/etc/passwd')", 403, 497, ANN),
    "a file as a name": Bad(b"SELECT * FROM `/etc/passwd`", 403, 497, ANN),
    "a file into the reader's own": Bad(b"SELECT 1 INTO OUTFILE '/tmp/x'", 403, 497, ANN),
    "a write, as analyst": Bad(b"CREATE DATABASE x", 500, 164, ANN),
    "a plan that is not optimised": Bad(b"EXPLAIN PLAN optimize = 0 SELECT 1", 403, 497, ANN),
    "a write by GET": Bad(b"", 500, 164, {"query": "CREATE DATABASE x"}, method="GET"),
    "a session timeout of words": Bad(
        b"SELECT 1", 500, 374, {"session_id": "s", "session_timeout": "long"}
    ),
    "a session timeout of days": Bad(
        b"SELECT 1", 500, 374, {"session_id": "s", "session_timeout": "99999"}
    ),
    "a session that is not there": Bad(
        b"SELECT 1", 500, 372, {"session_id": "../../x", "session_check": "1"}
    ),
    "a form without a boundary": Bad(
        b"--b\r\n", 400, 36, {}, {"Content-Type": "multipart/form-data"}
    ),
    "a form that is cut": Bad(b"--b\r\nContent-D", 400, 36, {}, {"Content-Type": FORM}),
    "a form part without a name": Bad(
        b"--b\r\n\r\nx\r\n--b--", 400, 36, {}, {"Content-Type": FORM}
    ),
    "external data nobody describes": Bad(
        b'--b\r\nContent-Disposition: form-data; name="t"; filename="f"\r\n\r\n1\r\n--b--',
        400,
        36,
        {"query": "SELECT * FROM t"},
        {"Content-Type": FORM},
    ),
    "rows that are no rows": Bad(
        b'INSERT INTO scratch.t FORMAT JSONEachRow {"a": ', 500, 32, {"async_insert": "1"}
    ),
    "a Native block that is garbage": Bad(b"INSERT INTO scratch.t FORMAT Native \xff\xff", 500, 32),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("bad")
    users = [
        identity.new_user("root", "admin", PASSWORD),
        identity.new_user("ann", "analyst", PASSWORD),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in users})
    warehouse = Warehouse(home)
    warehouse.start()
    try:
        for sql in (
            b"CREATE DATABASE scratch",
            b"CREATE TABLE scratch.t (a Int64) ENGINE = MergeTree ORDER BY a",
        ):
            assert send(warehouse, Bad(sql, 200, 0)) == (200, 0, b"")
        yield warehouse
    finally:
        warehouse.stop()


def send(server: Warehouse, bad: Bad) -> tuple[int, int, bytes]:
    """Status, ClickHouse's code and the answer."""
    params = {"user": "root", "password": PASSWORD} | bad.params
    if not params["user"]:
        del params["user"], params["password"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    try:
        url = "/?" + urllib.parse.urlencode(params)
        connection.request(bad.method, url, bad.body, bad.headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    return response.status, int(response.headers.get("X-ClickHouse-Exception-Code", 0)), answer


def alive(server: Warehouse) -> bool:
    return send(server, Bad(b"SELECT 1", 200, 0)) == (200, 0, b"1\n")


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_clickhouses_error_and_nothing_else(server: Warehouse, name: str) -> None:
    bad = CASES[name]
    status, code, answer = send(server, bad)
    assert (status, code) == (bad.status, bad.code), answer
    assert answer.startswith(b"Code: %d. DB::Exception: " % bad.code)
    for secret in (PASSWORD, "guess-me", "Traceback", 'File "', str(server.home), "root:x:0"):
        assert secret.encode() not in answer
    assert alive(server)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /?query=" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /?query=SELECT%ff HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["huge url", "no http", "no length", "no chunk", "no utf-8", "no path"],
)
def test_what_is_hardly_http_is_refused(server: Warehouse, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
    assert not answer.startswith(b"HTTP/1.1 200")
    assert b"Traceback" not in answer
    assert alive(server)


def read_all(connection: Any) -> bytes:
    pieces = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:  # refused in mid-sentence
        pass
    return b"".join(pieces)


def test_an_insert_whose_body_breaks_off_stores_nothing(server: Warehouse) -> None:
    insert = urllib.parse.urlencode(
        {"user": "root", "password": PASSWORD, "query": "INSERT INTO scratch.t FORMAT TSV"}
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST /?{insert} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b"1\n2\n")
    packed = gzip.compress(b"1\n" * 1000)[:-9]
    cut = Bad(
        packed,
        500,
        354,
        {"query": "INSERT INTO scratch.t FORMAT TSV"},
        {"Content-Encoding": "gzip"},
    )
    assert send(server, cut)[1] == 354
    assert send(server, Bad(b"SELECT count() FROM scratch.t", 200, 0))[2] == b"0\n"


def test_errors_come_in_blocks_to_who_reads_blocks(server: Warehouse) -> None:
    from warehouse.protocol.block_frames import FrameDecoder

    status, code, answer = send(server, Bad(b"SELECT nothing", 404, 47, {"compress": "1"}))
    assert (status, code) == (404, 47)
    assert b"".join(FrameDecoder().feed(answer)).startswith(b"Code: 47. DB::Exception")
