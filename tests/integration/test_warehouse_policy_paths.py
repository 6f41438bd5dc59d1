"""The statement policy holds on every path a statement can take to the engine."""

import http.client
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import identity
from tests.support.warehouse_server import Warehouse

pytestmark = pytest.mark.process
PASSWORD = "s3cret & word"
COUNT = "SELECT count() FROM d.t"
ROWS = "SELECT s FROM d.t ORDER BY s FORMAT JSONEachRow"  # streamed
FILE = "file('/etc/passwd')"
WAYS = [{}, {"wait_end_of_query": "1"}, {"session_id": "one"}]


def ask(
    server: Warehouse,
    sql: str | Iterator[bytes],
    user: str,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    **params: str,
) -> tuple[int, str]:
    """ClickHouse's exception code, or 0, and the answer."""
    url = "/?" + urllib.parse.urlencode({"user": user, "password": PASSWORD, **params})
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    body = sql.encode() if isinstance(sql, str) else sql
    connection.request(method, url, body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return int(response.headers.get("X-ClickHouse-Exception-Code", 0)), text


def form(server: Warehouse, user: str, fields: dict[str, str], table: str = "1\n", **params: str):
    parts = [f'name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    parts.append(f'name="x"; filename="x"\r\n\r\n{table}')
    text = "".join(f"--B\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    return ask(server, text + "--B--\r\n", user, headers, **params)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("paths")
    rules = {"d.t": "s = 'EUR'"}
    users = [
        identity.new_user("root", "admin", PASSWORD),
        identity.new_user("stream", "writer", PASSWORD),
        identity.new_user("part", "writer", PASSWORD, max_seconds=9),
        identity.new_user("eur", "analyst", PASSWORD, rules),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in users})
    warehouse = Warehouse(home)
    warehouse.start()
    try:
        for sql in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (s String) ENGINE = MergeTree ORDER BY s",
            "CREATE TABLE d.w (s String) ENGINE = MergeTree ORDER BY s",
            "INSERT INTO d.t VALUES ('EUR'), ('XAU')",
        ):
            assert ask(warehouse, sql, "root")[0] == 0
        yield warehouse
    finally:
        warehouse.stop()


@pytest.mark.parametrize("way", WAYS)
def test_row_filters_and_refusals_hold(server: Warehouse, way: dict[str, str]) -> None:
    assert ask(server, ROWS, "eur", additional_table_filters="{}", **way) == (0, '{"s":"EUR"}\n')
    assert ask(server, COUNT, "eur", readonly="0", **way) == (0, "1\n")
    assert ask(server, f"SELECT {FILE} FORMAT Native", "eur", **way)[0] == 497
    assert ask(server, "INSERT INTO d.w FORMAT TSV\na\n", "eur", **way)[0] == 164
    assert ask(server, "KILL QUERY WHERE query_id = 'x'", "eur", **way)[0] in (164, 497)
    assert ask(server, f"SELECT {FILE}", "stream", **way)[0] == 497
    assert ask(server, "KILL QUERY WHERE query_id = 'x'", "stream", **way)[0] == 497
    assert ask(server, ROWS, "eur", password="wrong", **way)[0] == 516


def test_set_in_a_session_cannot_loosen_bounds(server: Warehouse) -> None:
    limit = "SELECT getSetting('max_execution_time')"
    away = "SET additional_table_filters = {}, readonly = 0"
    for hidden in ("", "/* c */ ", "# c\n", "-- c\n", "\u00a0"):
        ask(server, f"{hidden}SET max_execution_time = 0", "part", session_id="s")
        assert ask(server, limit, "part", session_id="s") == (0, "9\n")
        ask(server, f"{hidden}{away}", "eur", session_id="s")
        assert ask(server, COUNT, "eur", session_id="s") == (0, "1\n")


def test_a_session_belongs_to_who_opened_it(server: Warehouse) -> None:
    assert ask(server, "CREATE TEMPORARY TABLE mine (a Int8)", "root", session_id="r")[0] == 0
    assert ask(server, "SELECT count() FROM mine", "root", session_id="r") == (0, "0\n")
    for headers in ({}, {"X-ClickHouse-User": "stream", "X-ClickHouse-Key": PASSWORD}):
        user = "root" if headers else "stream"  # the URL's name counts for nothing then
        answer = ask(server, "SELECT count() FROM mine", user, headers, session_id="r")
        assert answer[0] == 60
    fields = {"user": "root", "password": PASSWORD, "x_types": "Int8"}
    stolen = form(server, "stream", fields, session_id="r", query="SELECT count() FROM mine")
    assert stolen[0] == 60


@pytest.mark.parametrize("kind", ["Values", "VALUES", "values"])
@pytest.mark.parametrize("late", ["", "SETTINGS input_format_values_interpret_expressions = 1 "])
def test_inserts_that_are_joined_or_uploaded_evaluate_nothing(
    server: Warehouse, kind: str, late: str
) -> None:
    insert = f"INSERT INTO d.w {late}FORMAT {kind} (substring({FILE}, 1, 9))"
    for way in ({"async_insert": "1"}, {}, {"session_id": "i"}):
        loose = {"input_format_values_interpret_expressions": "1", **way}
        assert ask(server, insert, "stream", **loose)[0] != 0
        assert ask(
            server, insert.replace("FORMAT ", "") if not late else insert, "stream", **loose
        )[0]
        assert ask(server, "INSERT INTO d.w FORMAT TSV\nx\n", "eur", **way)[0] == 164
    rows = "('padding padding padding'), " * 100_000
    large = f"INSERT INTO d.w {late}VALUES {rows}(substring({FILE}, 1, 9))"
    assert ask(server, large, "stream")[0] != 0
    assert ask(server, large, "eur")[0] == 164
    assert ask(server, "SELECT count() FROM d.w WHERE s LIKE 'root%'", "root") == (0, "0\n")


def test_a_joined_insert_is_stored_for_a_writer_only(server: Warehouse) -> None:
    def insert(user: str) -> int:
        return ask(server, "INSERT INTO d.w VALUES ('joined')", user, async_insert="1")[0]

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(insert, ["stream", "eur"] * 8))
    assert codes == [0, 164] * 8
    assert ask(server, "SELECT count() FROM d.w WHERE s = 'joined'", "root") == (0, "8\n")


@pytest.mark.parametrize(
    ("structure", "kind"),
    [
        (f"a Int8, s String DEFAULT {FILE}", "TSV"),
        ("a Int8, n UInt64 DEFAULT (SELECT count() FROM d.t)", "TSV"),
        ("a Int8) ENGINE = File(CSV, '/tmp/never'", "TSV"),
        ("a Int8", "Values"),
        ("a Int8", "TSV (x"),
    ],
)
def test_external_tables_hold_no_expressions(server: Warehouse, structure: str, kind: str) -> None:
    fields = {"x_structure": structure, "x_format": kind}
    for user in ("eur", "stream"):
        assert form(server, user, fields, query="SELECT * FROM x")[0] in (497, 62)
    good = {"x_structure": "a Decimal(9, 2)", "readonly": "0", "additional_table_filters": "{}"}
    assert form(server, "eur", good, query=f"SELECT a, ({COUNT}) FROM x") == (0, "1\t1\n")


def test_a_name_that_is_bound_is_no_path(server: Warehouse) -> None:
    sql = "SELECT * FROM {t:Identifier}"
    assert ask(server, sql, "eur", param_t="/etc/passwd")[0] == 497
    assert ask(server, sql, "eur", param_t="t", database="d") == (0, "EUR\n")


def test_streamed_answers_are_logged_with_user_and_query_id(server: Warehouse) -> None:
    assert ask(server, ROWS, "eur", query_id="str/1")[0] == 0
    assert ask(server, "SYSTEM FLUSH LOGS", "root")[0] == 0
    sql = (
        "SELECT log_comment, result_rows FROM system.query_log "
        "WHERE type = 'QueryFinish' "
        "AND query LIKE '%query_id=str\\%2F1 %' AND query LIKE 'SELECT s%'"
    )
    assert ask(server, sql, "root") == (0, "user=eur\t1\n")
