"""Users, roles and statement policy of a running warehouse, as clients meet them."""

import base64
import http.client
import json
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import identity
from tests.support.warehouse_server import ROOT, Warehouse, command, migrated

pytestmark = pytest.mark.process
PASSWORD = "s3cret & word"
ROWS = "INSERT INTO tickhouse.tick (source, symbol, ts_event, seq, bid, ask) VALUES "


def ask(
    server: Warehouse, sql: str, user: str, headers: dict[str, str] | None = None, **params: str
) -> tuple[int, str]:
    """ClickHouse's exception code, or 0, and the answer."""
    url = "/?" + urllib.parse.urlencode({"user": user, "password": PASSWORD, **params})
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", url, sql.encode(), headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return int(response.headers.get("X-ClickHouse-Exception-Code", 0)), text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("users")
    rules = {"tickhouse.tick": "symbol = 'EURUSD'"}
    users = [
        identity.new_user("root", "admin", PASSWORD),
        identity.new_user("stream", "writer", PASSWORD),
        identity.new_user("ann", "analyst", PASSWORD),
        identity.new_user("eur", "analyst", PASSWORD, rules, max_seconds=1, max_memory_mib=64),
        identity.new_user("own", "analyst", PASSWORD, rules),
        identity.new_user("grafana", "grafana", PASSWORD),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in users})
    warehouse = migrated(home)
    try:
        rows = ", ".join(
            f"('s', '{symbol}', '2024-01-01 00:00:0{i}', 0, 1, 2)"
            for symbol in ("EURUSD", "XAUUSD")
            for i in range(3)
        )
        assert ask(warehouse, ROWS + rows, "stream") == (0, "")
        yield warehouse
    finally:
        warehouse.stop()


@pytest.mark.parametrize("user", ["root", "stream", "ann", "eur", "grafana"])
def test_each_user_may_read(server: Warehouse, user: str) -> None:
    assert ask(server, "SELECT 1", user) == (0, "1\n")


@pytest.mark.parametrize("user", ["ann", "own", "grafana"])
def test_each_user_may_ask_where_an_order_comes_from(server: Warehouse, user: str) -> None:
    query = "SELECT count() FROM tickhouse.lineage_of(run = 'live', order = 'o')"
    assert ask(server, query, user) == (0, "0\n")


def test_each_way_of_signing_in_works_and_a_wrong_password_is_516(server: Warehouse) -> None:
    for password, code in ((PASSWORD, 0), ("wrong", 516)):
        basic = base64.b64encode(f"ann:{password}".encode()).decode()
        for headers in (
            {"X-ClickHouse-User": "ann", "X-ClickHouse-Key": password},
            {"Authorization": f"Basic {basic}"},
        ):
            assert ask(server, "SELECT 1", "nobody", headers)[0] == code
        assert ask(server, "SELECT 1", "ann", password=password)[0] == code
    assert ask(server, "SELECT 1", "default", password="")[0] == 516


@pytest.mark.parametrize(
    ("sql", "analyst", "writer"),
    [
        ("SELECT * FROM file('/etc/passwd', LineAsString)", 497, 497),
        ("SELECT file('/etc/passwd')", 497, 497),
        ("SELECT * FROM `/etc/passwd`", 497, 497),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", 497, 497),
        ("SYSTEM SHUTDOWN", 164, 497),
        ("BACKUP DATABASE tickhouse TO File('/tmp/never')", 164, 497),
        ("SELECT 1; SELECT 2", 62, 62),
        ("CREATE TABLE tickhouse.mine (a Int8) ENGINE = MergeTree ORDER BY a", 164, 0),
        ("INSERT INTO tickhouse.mine VALUES (1)", 164, 0),
        ("INSERT INTO tickhouse.mine FORMAT TSV\n2\n", 164, 0),
        ("DROP TABLE tickhouse.mine", 164, 0),
        ("SELECT 1 SETTINGS max_threads = 1", 164, 0),
    ],
)
def test_what_roles_may_do(server: Warehouse, sql: str, analyst: int, writer: int) -> None:
    assert (ask(server, sql, "ann")[0], ask(server, sql, "stream")[0]) == (analyst, writer)


def test_an_admin_reads_files_in_its_folders_which_others_may_not(server: Warehouse) -> None:
    path = server.home / "backups" / "x.csv"
    path.write_text("1\n2\n")
    sql = f"SELECT count() FROM file('{path}', CSV, 'a Int8')"
    assert ask(server, sql, "root") == (0, "2\n")
    assert ask(server, sql, "ann")[0] == 497


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM tickhouse.tick",
        "SELECT count() FROM tickhouse.tick FINAL",
        "WITH t AS (SELECT * FROM tickhouse.tick) SELECT count() FROM t",
        "SELECT count() FROM (SELECT 1 AS one) AS a CROSS JOIN tickhouse.tick AS b",
    ],
)
def test_row_filters_hold_and_cannot_be_set_away(server: Warehouse, sql: str) -> None:
    assert ask(server, sql, "ann") == (0, "6\n")
    assert ask(server, sql, "eur") == (0, "3\n")
    assert ask(server, sql, "eur", additional_table_filters="{}") == (0, "3\n")
    assert ask(server, f"{sql} SETTINGS additional_table_filters = {{}}", "eur")[0] == 164
    assert ask(server, "SELECT count() FROM merge('tickhouse', '^tick$')", "eur")[0] == 497


def test_time_and_memory_limits_end_a_statement_and_the_server_lives(server: Warehouse) -> None:
    assert ask(server, f"SELECT sum(number) FROM numbers({10**13})", "eur")[0] == 159
    big = "SELECT length(groupArray(number)) FROM numbers(50000000)"
    assert ask(server, big, "eur")[0] == 241
    assert ask(server, "SELECT 1", "eur") == (0, "1\n")


def test_the_query_log_names_who_asked_and_how_it_ended(server: Warehouse) -> None:
    ask(server, "SELECT 'to be logged'", "ann", log_comment="mine")
    ask(server, "SELECT throwIf(1), 'to be logged'", "grafana")
    assert ask(server, "SYSTEM FLUSH LOGS", "root")[0] == 0
    sql = (
        "SELECT user, code, result_rows FROM tickhouse.query_log "
        "WHERE query LIKE 'SELECT%to be logged\\'' ORDER BY user"
    )
    assert ask(server, sql, "ann") == (0, "ann\t0\t1\ngrafana\t395\t0\n")
    slow = "SELECT count() FROM tickhouse.slow_query WHERE query LIKE '%numbers(?)%'"
    assert int(ask(server, slow, "ann")[1]) >= 1


def test_the_page_is_for_browsers_and_clients_get_what_they_always_got(server: Warehouse) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for path, accept, start in (
        ("/sql", "*/*", b"<!doctype html>"),
        ("/", "text/html,*/*", b"<!doctype html>"),
        ("/", "*/*", b"Ok.\n"),
        ("/ping", "text/html", b"Ok.\n"),
        ("/?query=SELECT+1", "text/html", b"Code: 516"),
    ):
        connection.request("GET", path, headers={"Accept": accept})
        assert connection.getresponse().read().startswith(start), path
    connection.close()


def test_no_password_reaches_a_log(tmp_path: Path) -> None:
    users = {"ann": identity.new_user("ann", "admin", PASSWORD)}
    identity.save(identity.path_in(tmp_path), users)
    server = Warehouse(tmp_path)
    process = subprocess.Popen(
        command(tmp_path, 0), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    server.port = int(process.stdout.readline().strip().rpartition(b":")[2])
    logged = ""
    try:
        assert ask(server, "SELECT 1", "ann") == (0, "1\n")
        assert ask(server, "SELECT (", "ann")[0] == 62
        assert ask(server, "SELECT 1", "ann", password="wr0ng-word")[0] == 516
        assert ask(server, "SYSTEM FLUSH LOGS", "ann")[0] == 0
        logged = ask(server, "SELECT * FROM system.query_log FORMAT JSONEachRow", "ann")[1]
        assert "SELECT 1" in logged
    finally:
        process.terminate()
        written = process.communicate(timeout=60)[0].decode() + logged
    written += "".join(p.read_text() for p in (tmp_path / "run").glob("*"))
    for secret in (PASSWORD, urllib.parse.quote_plus(PASSWORD), "wr0ng-word"):
        assert secret not in written
        assert json.dumps(secret)[1:-1] not in written


def test_an_open_address_is_refused_without_users_and_served_with_them(tmp_path: Path) -> None:
    line = [*command(tmp_path, 0), "--listen", "0.0.0.0"]
    refused = subprocess.run(
        line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    assert "tickhouse users add" in refused.stderr
    users = {"ann": identity.new_user("ann", "admin", PASSWORD)}
    identity.save(identity.path_in(tmp_path), users)
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    server = Warehouse(tmp_path, int(process.stdout.readline().strip().rpartition(b":")[2]))
    assert ask(server, "SELECT 1", "ann") == (0, "1\n")
    process.terminate()
    assert process.wait(timeout=60) == 0
    process.stdout.close()
