"""A running warehouse whose users hold the least role: what they need works, attacks do not."""

import http.client
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from adapters.clickhouse import client, migrate, retention
from adapters.clickhouse.native import Column
from adapters.clickhouse.writer import Writer
from core import identity
from core.sections import ClickhouseSettings
from dashboards.grafana.__main__ import BOARDS
from dashboards.grafana.macros import BoardSpan, expand
from tests.support.board_panels import targets
from tests.support.compliance import dbt
from tests.support.warehouse_server import FEATURES, ROOT, Warehouse
from warehouse.access import allowances

pytestmark = pytest.mark.process
PASSWORD = "s3cret & word"
SECRET = "read me if you can"
AUDIT = "INSERT INTO tickhouse.audit_event (stream, seq) "


def ask(
    server: Warehouse, body: str | Iterator[bytes], user: str, **params: str
) -> tuple[int, str]:
    """ClickHouse's exception code, or 0, and the answer."""
    url = "/?" + urllib.parse.urlencode({"user": user, "password": PASSWORD, **params})
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", url, body.encode() if isinstance(body, str) else body)
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    connection.close()
    return int(response.headers.get("X-ClickHouse-Exception-Code", 0)), text


def settings(server: Warehouse, user: str) -> ClickhouseSettings:
    return ClickhouseSettings(url=server.url, user=user, password=PASSWORD)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A fresh home, migrated by a writer, as the documented hardening does it."""
    home = tmp_path_factory.mktemp("hardened")
    users = [
        identity.new_user("root", "admin", PASSWORD),
        identity.new_user("stream", "writer", PASSWORD),
        identity.new_user("trail", "recorder", PASSWORD),
        identity.new_user("ann", "analyst", PASSWORD),
        identity.new_user("eur", "analyst", PASSWORD, {"tickhouse.tick": "symbol = 'EURUSD'"}),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in users})
    warehouse = Warehouse(home)
    warehouse.start()
    try:
        connection = client.connect(settings(warehouse, "stream"))
        warehouse.clients.append(connection)
        assert migrate.apply(connection, FEATURES)
        assert ask(warehouse, AUDIT + "VALUES ('s', 1), ('s', 2)", "trail") == (0, "")
        yield warehouse
    finally:
        warehouse.stop()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(SECRET + "\n")
    return path


READERS_AND_WRITERS = ("stream", "trail", "ann")


@pytest.mark.parametrize("user", READERS_AND_WRITERS)
def test_a_file_is_reached_by_no_name(server: Warehouse, secret: Path, user: str) -> None:
    name, quoted = str(secret), f"`{secret}`"
    ask(server, f"SET param_t = '{name}'", user, session_id="s")
    ask(server, "SET param_t = 'data.csv'", user, session_id="s2")
    ask(server, "USE default", user, session_id="s2")
    tries: list[tuple[str, dict[str, str]]] = [
        ("SELECT * FROM default.{t:Identifier}", {"session_id": "s"}),
        ("SELECT * FROM {t:Identifier}", {"session_id": "s2"}),
        ("SELECT * FROM {t:Identifier}", {"param_t": name}),
        ("SELECT * FROM {d:Identifier}.{t:Identifier}", {"param_d": "default", "param_t": name}),
        (f"SELECT * FROM default.{quoted}", {}),
        (f"SELECT * FROM {quoted}", {"database": "default"}),
        (f"SELECT * FROM {quoted}", {"database": "tickhouse", "session_id": "s2"}),
        (f"SELECT * FROM {quoted}", {"http_allow_table_as_file": "1"}),
        (f"SELECT '{SECRET[:4]}' IN {quoted}", {}),
        (f"SELECT * FROM format(Values, 'a String', '(file(\\'{name}\\'))')", {}),
        (f"SELECT * FROM format(Values, 'a String', $$(file('{name}'))$$)", {"readonly": "0"}),
        (f"SELECT * FROM tick SETTINGS additional_table_filters = {{'x': 'file({name})'}}", {}),
        ("SELECT 1", {"additional_result_filter": f"file('{name}') != ''"}),
        (f"CREATE TABLE tickhouse.stolen AS default.{quoted}", {}),
        (f"INSERT INTO tickhouse.audit_event (stream) SELECT file('{name}')", {}),
        ("SELECT 1", {"output_format_schema": name, "default_format": "CapnProto"}),
        (f"INSERT INTO default.{quoted} VALUES ('more')", {}),
        ("INSERT INTO default.{t:Identifier} VALUES ('more')", {"session_id": "s"}),
        ("INSERT INTO {t:Identifier} FORMAT CSV\nmore\n", {"param_t": name}),
        ("INSERT INTO default.{t:Identifier} FORMAT CSV\nmore\n", {"session_id": "s"}),
    ]
    for sql, params in tries:
        code, text = ask(server, sql, user, **params)
        assert SECRET not in text, sql
        filtered_away = "additional_result_filter" in params and user == "ann"
        assert code != 0 or filtered_away, sql
    assert secret.read_text() == SECRET + "\n"


def test_nothing_is_written_in_the_servers_folder(server: Warehouse) -> None:
    """Names without a suffix are files too, if there is one in the folder the server runs in."""
    for params in ({}, {"session_id": "x"}, {"database": "default"}):
        code, _ = ask(server, "SELECT * FROM LICENSE LIMIT 1", "stream", **params)
        assert code == 497


def pieces(text: str, count: int) -> Iterator[bytes]:
    yield text.encode()
    for number in range(count):
        yield f"trail\t{number}\tpadding padding padding padding padding\n".encode()


def test_a_recorder_inserts_plain_streamed_and_asynchronously_and_no_more(
    server: Warehouse,
) -> None:
    counted = "SELECT count() FROM tickhouse.audit_event WHERE stream = 'trail'"
    for number, way in enumerate(({}, {"session_id": "t"}, {"async_insert": "1"})):
        assert ask(server, AUDIT + f"VALUES ('trail', 1{number})", "trail", **way) == (0, "")
        assert ask(server, AUDIT + f"FORMAT TSV\ntrail\t2{number}\n", "trail", **way) == (0, "")
    large = pieces("INSERT INTO tickhouse.audit_event (stream, seq, detail) FORMAT TSV\n", 100_000)
    assert ask(server, large, "trail") == (0, "")
    assert ask(server, counted, "trail") == (0, "100006\n")
    for sql in (
        "ALTER TABLE tickhouse.audit_event DELETE WHERE 1",
        "CREATE TABLE tickhouse.mine (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE mine (a Int8)",
        "TRUNCATE TABLE tickhouse.tick",
        "SYSTEM FLUSH LOGS",
    ):
        for way in ({}, {"session_id": "t"}):
            assert ask(server, sql, "trail", **way)[0] == 497


ERASING = [
    ("TRUNCATE TABLE {t:Identifier}", {"param_t": "audit_event"}),
    ("TRUNCATE TABLE tickhouse.{t:Identifier}", {"param_t": "audit_event"}),
    ("TRUNCATE TABLE {t:Identifier}", {"session_id": "e"}),
    ("TRUNCATE ALL TABLES FROM tickhouse LIKE 'audit%'", {}),
    ("TRUNCATE DATABASE tickhouse", {}),
    ("RENAME DATABASE tickhouse TO other", {}),
    ("RENAME TABLE audit_event TO other", {}),
    ("EXCHANGE TABLES audit_event AND tick", {}),
    ("DETACH TABLE audit_event", {}),
    ("DETACH DATABASE tickhouse", {}),
    ("ALTER TABLE audit_event DROP PARTITION tuple()", {}),
    ("ALTER TABLE audit_event MODIFY TTL ts_init + INTERVAL 1 SECOND", {}),
    ("DELETE FROM audit_event WHERE 1", {}),
    ("DROP TABLE tick, audit_event", {}),
    ("CREATE OR REPLACE TABLE audit_event (a Int8) ENGINE = Memory", {}),
    ("REPLACE TABLE audit_event (a Int8) ENGINE = Memory", {}),
    ("ALTER TABLE audit_event REPLACE PARTITION tuple() FROM tick", {}),
    ("CREATE MATERIALIZED VIEW v REFRESH EVERY 1 SECOND TO audit_event AS SELECT 1", {}),
]


@pytest.mark.parametrize(("sql", "params"), ERASING)
def test_a_writer_erases_no_audit(server: Warehouse, sql: str, params: dict[str, str]) -> None:
    ask(server, "SET param_t = 'audit_event'", "stream", session_id="e")
    assert ask(server, sql, "stream", **{"database": "tickhouse", **params})[0] == 497
    counted = "SELECT count() FROM tickhouse.audit_event WHERE stream = 's'"
    assert ask(server, counted, "root") == (0, "2\n")


@pytest.mark.parametrize("text", ["100G", "1e12", "0", "-1", "0x10", "inf", "1e-7", "9999999", ""])
def test_limits_hold_however_they_are_written(server: Warehouse, text: str) -> None:
    question = "SELECT getSetting('max_memory_usage'), getSetting('max_execution_time') AS s, s = 0"
    code, answer = ask(server, question, "ann", max_memory_usage=text, max_execution_time=text)
    assert code == 0
    memory, seconds, none = answer.split()
    assert 0 < int(memory) <= 2 << 30
    assert 0 < float(seconds) <= 60
    assert none == "0"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(rows) FROM system.parts",
        "SELECT total_rows FROM system.tables",
        "SELECT * FROM system.tables",
        "SELECT COLUMNS('total') FROM system.tables",
        "SELECT t.`total_rows` FROM system.tables AS t",
        "SELECT 1 FROM system.tables WHERE total_rows > 1",
        "SELECT data_compressed_bytes FROM system.columns",
        "SELECT table_rows FROM information_schema.tables",
        "SHOW TABLES FROM tickhouse WHERE total_rows > 0",
        "SELECT sum(rows) FROM {t:Identifier}.parts",
        "SELECT {t:Identifier} FROM system.tables",
        "SELECT min_time FROM system.parts_columns",
        "SELECT value FROM system.metrics",
        "EXPLAIN ESTIMATE SELECT * FROM tickhouse.tick",
        "EXPLAIN indexes = 1 SELECT * FROM tickhouse.tick",
    ],
)
def test_who_sees_some_rows_counts_none_of_the_others(server: Warehouse, sql: str) -> None:
    bound = {"param_t": "system" if "}.parts" in sql else "total_rows"}
    assert ask(server, sql, "eur", **bound)[0] in (497, 164)
    assert ask(server, "SELECT name, engine FROM system.tables", "eur")[0] == 0


def test_a_migrated_home_is_migrated_again_and_kept_by_a_writer(server: Warehouse) -> None:
    connection = client.connect(settings(server, "stream"))
    server.clients.append(connection)
    assert migrate.apply(connection, (*FEATURES, "feature_more")) == []
    assert retention.apply(connection, {"tick": 30, "feature": 7})
    assert retention.apply(connection, {})


def test_a_writer_inserts_into_every_table(server: Warehouse) -> None:
    question = (
        "SELECT table, groupArray(name), groupArray(type) FROM system.columns WHERE database = "
        "'tickhouse' AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') AND table IN (SELECT name "
        "FROM system.tables WHERE database = 'tickhouse' AND engine LIKE '%MergeTree') GROUP BY 1"
    )
    root = client.connect(settings(server, "root"))
    server.clients.append(root)
    stop = threading.Event()
    tables = root.query(question).result_rows
    with Writer(settings(server, "stream"), stop) as writer:
        for table, names, types in tables:
            name, kind = next(
                (n, t)
                for n, t in zip(names, types, strict=True)
                if t in ("LowCardinality(String)", "String", "UInt32", "UInt64")
            )
            values = ["x"] if "String" in kind else np.array([7], kind.lower())
            writer.insert(table, [Column(name, kind, values)])
    assert len(tables) > 50
    empty = [t for t, *_ in tables if root.command(f"SELECT count() = 0 FROM `{t}`")]
    assert empty == []


def test_every_boards_query_passes_for_a_reader_and_so_for_a_writer(server: Warehouse) -> None:
    """What a writer may holds all that a reader may, so of each board they ask one panel."""
    reader, writer = allowances.of("analyst"), allowances.of("writer")
    assert all(getattr(reader, f.name) <= getattr(writer, f.name) for f in fields(reader))
    span = BoardSpan(0, 3600, 60)
    names = ("mode", "source", "symbol", "account", "model", "order")
    variables = {**dict.fromkeys(names, "x"), "marts": "tickhouse"}
    for board in BOARDS:
        for number, (title, _, sql) in enumerate(targets(board)):
            for user in ("ann", "stream") if number == 0 else ("ann",):
                code, text = ask(server, expand(sql, span, variables), user, database="tickhouse")
                # Marts are not there (60); whatever else is wrong is not the gate's.
                assert code not in (497, 164), f"{board}: {title}: {text}"


@pytest.mark.heavy(suite="security")
def test_dbt_builds_as_a_writer(server: Warehouse, tmp_path: Path) -> None:
    dbt(settings(server, "stream"), tmp_path, "run", mode="live")
    dbt(
        settings(server, "stream"), tmp_path, "run", mode="live"
    )  # the second time it exchanges tables
    root = client.connect(settings(server, "root"))
    server.clients.append(root)
    built = "SELECT name FROM system.tables WHERE database = 'tickhouse_marts'"
    facts = {path.stem for path in (ROOT / "dbt" / "models" / "marts").rglob("fct_*.sql")}
    assert facts
    assert facts <= {name for (name,) in root.query(built).result_rows}
