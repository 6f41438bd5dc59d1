"""Nobody ends or blocks the warehouse by a statement, whoever asks and however it is spelled."""

import http.client
import urllib.parse
from collections.abc import Iterator

import pytest

from core import identity
from tests.support.warehouse_server import Warehouse

pytestmark = pytest.mark.process
PASSWORD = "correct horse"


@pytest.fixture(scope="module", params=["without users", "as admin"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("shutdown")
    if request.param == "as admin":
        root = identity.new_user("root", "admin", PASSWORD)
        identity.save(identity.path_in(home), {"root": root})
    # In a group of its own: the engine ends its whole process group.
    warehouse = Warehouse(home, own_group=True)
    warehouse.start()
    yield warehouse
    warehouse.kill()


def ask(server: Warehouse, sql: bytes, **parameters: str) -> tuple[int, bytes]:
    if identity.path_in(server.home).exists():
        parameters |= {"user": "root", "password": PASSWORD}
    else:
        where = server.settings
        parameters |= {"user": where.user, "password": where.password}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/?" + urllib.parse.urlencode(parameters), sql)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    return response.status, answer


@pytest.mark.parametrize(
    "sql",
    [
        "SYSTEM SHUTDOWN",
        "SYSTEM KILL",
        "sYsTeM\tsHuTdOwN ;",
        "/* a */ SYSTEM /* b */ -- c\n SHUTDOWN -- d",
        "/* a /* b */ */ SYSTEM SHUTDOWN",
        "# x\nSYSTEM SHUTDOWN",
        "\u00a0SYSTEM\u2003SHUTDOWN",
        "\ufeffSYSTEM SHUTDOWN",
        "SYSTEM SHUTDOWN /*",
        "/*" + "x" * 300_000 + "*/ SYSTEM SHUTDOWN",
        "SYSTEM SHUTDOWN /* ' */ /* FLUSH LOGS",
        "SELECT 1; SYSTEM SHUTDOWN",
        "INSERT INTO FUNCTION null('a Int8') VALUES (1); SYSTEM SHUTDOWN",
        "CREATE TABLE t (a Int8) ENGINE = Memory PARALLEL WITH SYSTEM SHUTDOWN",
        "SYSTEM FLUSH LOGS PARALLEL WITH SYSTEM KILL",
        "EXECUTE AS default SYSTEM SHUTDOWN",
        "SYSTEM SHUTDOWN FORMAT Null",
        "SYSTEM SHUTDOWN ON CLUSTER default",
        "SYSTEM SUSPEND FOR 600 SECOND",
        "SYSTEM ENABLE FAILPOINT terminate_with_exception",
        "SYSTEM WAIT FAILPOINT replicated_sends_sleep_before_file_send",
        "SYSTEM ALLOCATE MEMORY 1000",
        "SYSTEM START THREAD FUZZER",
        "SYSTEM STOP LISTEN HTTP",
        "INSERT INTO FUNCTION null('a Int8'); SYSTEM SHUTDOWN FORMAT CSV\n1",
        "INSERT INTO FUNCTION null('a Int8') PARALLEL WITH SYSTEM SHUTDOWN FORMAT CSV\n1",
    ],
)
def test_the_process_is_not_ended_by_a_statement(server: Warehouse, sql: str) -> None:
    status, answer = ask(server, sql.encode(), max_query_size="9000000")
    assert status in (400, 403), answer
    assert answer.startswith((b"Code: 497", b"Code: 62")), answer
    assert ask(server, b"SELECT 1") == (200, b"1\n")


def test_half_in_the_url_and_half_in_the_body_is_the_same_statement(server: Warehouse) -> None:
    assert ask(server, b"SHUTDOWN", query="SYSTEM")[0] == 403
    assert ask(server, b"SYSTEM SHUTDOWN", session_id="s")[0] == 403
    assert ask(server, b"SYSTEM {what:Identifier}", param_what="SHUTDOWN")[0] != 200
    assert ask(server, b"SELECT 1") == (200, b"1\n")


@pytest.mark.parametrize(
    "sql",
    [
        "SYSTEM FLUSH LOGS",
        "SYSTEM DROP MARK CACHE",
        "SYSTEM STOP MERGES",
        "SYSTEM START MERGES",
        "SELECT 'SYSTEM SHUTDOWN' AS system",
        "EXPLAIN AST SYSTEM SHUTDOWN",
        "CREATE OR REPLACE VIEW shown AS SELECT 'SYSTEM SHUTDOWN' AS a",
        "KILL QUERY WHERE query = 'SYSTEM KILL'",
        "INSERT INTO FUNCTION null('system String') (system) VALUES ('SYSTEM KILL')",
        "INSERT INTO FUNCTION null('system String') (system) FORMAT TSV SYSTEM KILL\n",
        "INSERT INTO FUNCTION null('system String') SELECT 'SYSTEM KILL' AS system",
    ],
)
def test_what_harms_nobody_runs(server: Warehouse, sql: str) -> None:
    status, answer = ask(server, sql.encode())
    assert status == 200, answer
