"""Which requests come in: a browser's from elsewhere do not, programs' do. On real processes."""

import http.client
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.warehouse_server import Warehouse

pytestmark = pytest.mark.process
FORM = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A home without users, as the first start leaves it."""
    named = {"TICKHOUSE_WAREHOUSE__HOSTS": "desk.example,other.example"}
    warehouse = Warehouse(tmp_path_factory.mktemp("door"), environ=named)
    warehouse.start()
    yield warehouse
    warehouse.stop()


def ask(
    server: Warehouse,
    headers: dict[str, str],
    sql: str = "SELECT 1",
    method: str = "POST",
    path: str = "/",
) -> tuple[int, str]:
    """Status and text. A GET carries the statement in the URL."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    by_link = method == "GET" and path == "/"
    target = f"/?query={urllib.parse.quote(sql)}" if by_link else path
    connection.putrequest(method, target, skip_host=True)
    body = b"" if by_link else sql.encode()
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def own(server: Warehouse) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{server.port}", **server.owner}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # DNS rebinding
        {"Host": "evil.example", "Origin": "http://evil.example", **FORM},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:8123"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": "evil.example#127.0.0.1"},
        {"Host": "0.0.0.0"},
        {"Host": "10.1.2.3"},
        {"Host": ""},
        {},
        {"Host": "127.0.0.1", "Origin": "null"},
        {"Host": "127.0.0.1", "Origin": "http://evil.example", **FORM},
        {"Host": "127.0.0.1", "Origin": "http://127.0.0.1:9"},
        {"Host": "127.0.0.1", "Origin": "file://"},
        {"Host": "127.0.0.1", "Origin": "http://127.0.0.1.evil.example"},
        {"Host": "127.0.0.1", "Sec-Fetch-Site": "cross-site", **FORM},
        {"Host": "127.0.0.1", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_from_elsewhere_does_nothing(
    server: Warehouse, tmp_path: Path, headers: dict[str, str]
) -> None:
    file = tmp_path / "written"
    sql = f"INSERT INTO FUNCTION file('{file}', 'CSV', 'a Int8') VALUES (1)"
    status, text = ask(server, headers | server.owner, sql)
    assert (status, "Code: 497" in text or not headers.get("Host")) == (403, True)
    assert not file.exists()
    for path in ("/ping", "/sql", "/"):
        assert ask(server, headers, "", path=path)[0] == 403


def test_the_refusal_says_what_to_do(server: Warehouse) -> None:
    assert "TICKHOUSE_WAREHOUSE__HOSTS" in ask(server, {"Host": "desk-2"})[1]
    assert "no browser" in ask(server, {**own(server), "Origin": "null"})[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1"},
        {"Host": "LocalHost:9000"},  # through a tunnel
        {"Host": "[::1]:8123"},
        {"Host": "127.0.0.1:8123", "Origin": "http://127.0.0.1:8123"},  # the SQL page
        {"Host": "desk.example"},
        {"Host": "Desk.Example:443", "Origin": "https://desk.example:443"},  # a proxy with TLS
        {"Host": "localhost", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost", "Sec-Fetch-Site": "none"},
    ],
)
def test_programs_our_page_and_named_hosts_are_served(
    server: Warehouse, headers: dict[str, str]
) -> None:
    assert ask(server, headers) == (200, "1\n")
    assert ask(server, headers, method="GET") == (200, "1\n")


def test_a_link_leads_to_the_page_and_never_to_a_statement(server: Warehouse) -> None:
    followed = {
        **own(server),
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert ask(server, followed, "", "GET", "/sql")[0] == 200
    assert ask(server, followed, "SELECT 1", "GET")[0] == 403
    framed = followed | {"Sec-Fetch-Dest": "iframe"}
    assert ask(server, framed, "", "GET", "/sql")[0] == 403


def test_a_header_said_twice_is_refused(server: Warehouse) -> None:
    for name, values in (("Host", ("127.0.0.1", "evil.example")), ("Origin", ("null", ""))):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.putrequest("POST", "/?query=SELECT+1", skip_host=name == "Host")
        for value in values:
            connection.putheader(name, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        assert connection.getresponse().status in (400, 403)
        connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO FUNCTION file('{file}', 'CSV', 'a Int8') VALUES (1)",
        "INSERT INTO FUNCTION file('{file}', 'CSV', 'a Int8') SELECT 1",
        "WITH 1 AS x INSERT INTO FUNCTION file('{file}', 'CSV', 'a Int8') SELECT x",
        "SELECT 1 INTO OUTFILE '{file}'",
        "SELECT $$'$$ INTO /**/ outfile '{file}' -- '",
        "SELECT 1 INTO OUTFILE '{file}' /*",
        "BACKUP DATABASE default TO File('{file}')",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "CREATE DATABASE by_link",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "SET readonly = 0; SELECT 1 INTO OUTFILE '{file}'",
    ],
)
def test_nothing_is_changed_by_get(server: Warehouse, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "written"
    status, text = ask(server, own(server), sql.format(file=file), "GET")
    assert status in (400, 500)
    assert text.startswith(("Code: 164", "Code: 62")), text
    assert not file.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'INTO OUTFILE'",
        "SELECT count() FROM system.one FORMAT JSON",
        "SHOW DATABASES",
        "EXPLAIN SELECT 1",
        "WITH 1 AS a SELECT a",
        "SET max_threads = 1",
        "DESCRIBE system.one",
        "EXISTS system.one",
    ],
)
def test_reading_by_get_goes_on(server: Warehouse, sql: str) -> None:
    status, text = ask(server, own(server), sql, "GET")
    assert status == 200, text
