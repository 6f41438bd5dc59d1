"""Other people's clients against the embedded warehouse, one server for all of them."""

import io
import json
import math
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.context import Context
from clickhouse_driver.streams.compressed import CompressedBlockInputStream
from clickhouse_driver.streams.native import BlockInputStream

from core import identity
from tests.integration.test_embedded_warehouse import post
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

REVISION = 54454
BUSY = b"SELECT sum(sipHash64(number)) FROM numbers(1e15)"  # an analyst may not change settings


class Wire:
    """Bytes behind the one method clickhouse-driver reads a socket with."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def recv_into(self, buffer: bytearray) -> int:
        return self._data.readinto(buffer)


class ServerInfo:
    """What clickhouse-driver's reader asks about the server."""

    used_revision = REVISION

    @staticmethod
    def get_timezone() -> str:
        return "UTC"


def native_rows(data: bytes, stream: type[BlockInputStream] = BlockInputStream) -> list[Any]:
    """Rows of Native blocks as clickhouse-driver reads them."""
    context = Context()
    context.server_info = ServerInfo()
    context.client_settings = {
        "strings_as_bytes": False,
        "strings_encoding": "utf-8",
        "use_numpy": False,
        "opentelemetry_traceparent": None,
        "opentelemetry_tracestate": "",
        "quota_key": "",
        "input_format_null_as_default": False,
        "namedtuple_as_json": True,
        "server_side_params": False,
    }
    reader = stream(BufferedSocketReader(Wire(data), 1 << 20), context)
    rows: list[Any] = []
    while True:
        try:
            block = reader.read()
        except EOFError:
            return rows
        rows += block.get_rows()


def plain(value: Any) -> Any:
    """A value of clickhouse-driver as ClickHouse's JSON shows it (numbers as text)."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f" if value.microsecond else "%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # JSON has no other way to say it
    return value if isinstance(value, int) else str(value)


def shown(value: Any) -> Any:
    """A value of ClickHouse's JSON in the form of `plain`."""
    if isinstance(value, str):
        head, point, fraction = value.partition(".")
        if point and len(head) == 19 and not fraction.strip("0"):
            return head
        return value
    if isinstance(value, list):
        return [shown(part) for part in value]
    if isinstance(value, dict):
        return {key: shown(part) for key, part in value.items()}
    return value


def same(left: Any, right: Any) -> bool:
    """Equal, where JSON writes a Float32 with as many digits as a Float32 needs."""
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, int | float) and left != float(right):
        short = float(np.float32(left))
        return short == left and short == float(np.float32(right))
    return bool(left == (float(right) if isinstance(left, float) and right is not None else right))


def test_every_table_is_read_by_clickhouse_drivers_native_reader(warehouse: Warehouse) -> None:
    tables = warehouse.client.query(
        "SELECT name FROM system.tables WHERE database = 'tickhouse' AND engine LIKE '%MergeTree' "
        "AND name NOT LIKE '.inner%' ORDER BY name"
    ).result_rows
    assert len(tables) > 10
    for (table,) in tables:
        columns = warehouse.client.query(
            "SELECT name, type FROM system.columns WHERE database = 'tickhouse' "
            f"AND table = '{table}' AND type NOT LIKE 'AggregateFunction%' "
            "AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position"
        ).result_rows
        columns_sql = ", ".join(f"`{name}` {kind}" for name, kind in columns)
        # The same seed gives the same rows, so both formats show one table's types, filled.
        structure = columns_sql.replace("\\", "\\\\").replace("'", "\\'")
        sql = f"SELECT * FROM generateRandom('{structure}', 7, 9, 2) LIMIT 50".encode()
        answer = post(
            warehouse, sql, default_format="Native", client_protocol_version=str(REVISION)
        )
        assert answer[0] == 200, (table, answer[2])
        exact = {
            "output_format_json_quote_64bit_integers": "0",
            "output_format_json_quote_decimals": "0",
        }
        text = post(warehouse, sql, default_format="JSONCompactEachRow", **exact)[2]
        expected = [shown(json.loads(line)) for line in text.splitlines()]
        assert len(expected) == 50
        for got, wanted in zip(native_rows(answer[2]), expected, strict=True):
            differing = [p for p in zip(plain(got), wanted, strict=True) if not same(*p)]
            assert not differing, (table, differing)
        stored = post(
            warehouse,
            f"SELECT * FROM tickhouse.`{table}`".encode(),
            default_format="Native",
            client_protocol_version=str(REVISION),
        )
        assert stored[0] == 200, (table, stored[2])


def test_clickhouse_driver_reads_compressed_blocks(warehouse: Warehouse) -> None:
    answer = post(
        warehouse,
        b"SELECT number, toString(number) FROM numbers(100000)",
        default_format="Native",
        client_protocol_version=str(REVISION),
        compress="1",
    )
    rows = native_rows(answer[2], CompressedBlockInputStream)
    assert rows == [(i, str(i)) for i in range(100_000)]


def test_a_body_in_compressed_blocks_is_inserted(warehouse: Warehouse) -> None:
    from warehouse.protocol.block_frames import FrameEncoder

    client = warehouse.client
    client.command("CREATE OR REPLACE TABLE framed (a Int64) ENGINE = MergeTree ORDER BY a")
    rows = "".join(f"{i}\n" for i in range(500_000)).encode()
    query = "INSERT INTO tickhouse.framed FORMAT TSV"
    assert post(warehouse, FrameEncoder().compress(rows), query=query, decompress="1")[0] == 200
    assert client.query("SELECT count(), sum(a) FROM framed").first_row == (
        500_000,
        sum(range(500_000)),
    )
    client.command("DROP TABLE framed")


def test_clickhouse_connect_sees_time_zones_and_every_kind_of_column(warehouse: Warehouse) -> None:
    client = warehouse.client
    row = client.query(
        "SELECT toDateTime('2024-01-01 00:00:00', 'America/Denver') AS t, "
        "CAST('x' AS Variant(String, UInt8)) AS v, (1., 2.)::Point AS p"
    ).first_row
    assert str(row[0].tzinfo) == "America/Denver"
    assert row[1:] == ("x", (1.0, 2.0))
    assert client.query("SELECT '{\"a\": 1}'::JSON AS j").first_row == ({"a": 1},)


def test_a_binary_literal_reaches_the_engine_as_it_is(warehouse: Warehouse) -> None:
    assert post(warehouse, b"SELECT hex('\x92\xff')")[2] == b"92FF\n"
    status, _, answer = post(warehouse, b"SELECT throwIf(1, '\x92')")
    # Python 3.11.2 (Debian 12) loses the text of an error that is no UTF-8; 3.11.7 keeps it.
    codes = (b"Code: 395.",) if sys.version_info >= (3, 11, 7) else (b"Code: 395.", b"Code: 1002")
    assert status == 500
    assert answer[:10] in codes


def test_the_dialect_of_sqlalchemy_reflects_and_queries(warehouse: Warehouse) -> None:
    engine = sqlalchemy.create_engine(
        f"clickhousedb://{warehouse.settings.user}:{warehouse.settings.password}@127.0.0.1:{warehouse.port}/tickhouse"
    )
    try:
        with engine.begin() as connection:
            table = sqlalchemy.Table("tick", sqlalchemy.MetaData(), autoload_with=engine)
            assert {"source", "symbol", "ts_event"} <= set(table.columns.keys())
            counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(table)
            assert connection.execute(counted).scalar_one() == 0
        assert "tick" in sqlalchemy.inspect(engine).get_table_names("tickhouse")
    finally:
        engine.dispose()


@pytest.mark.heavy(suite="warehouse")
def test_dbt_builds_and_tests_a_project(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(
        "name: tiny\nversion: '1.0'\nprofile: tiny\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    (tmp_path / "profiles.yml").write_text(
        "tiny:\n  target: here\n  outputs:\n    here: {type: clickhouse, driver: http, "
        f"host: 127.0.0.1, port: {warehouse.port}, user: {warehouse.settings.user}, "
        f"password: {warehouse.settings.password}, schema: dbt_tiny}}\n"
    )
    (tmp_path / "models" / "base.sql").write_text(
        "{{ config(materialized='table', engine='MergeTree()', order_by='id') }}\n"
        "select number as id from numbers(10)\n"
    )
    (tmp_path / "models" / "grown.sql").write_text(
        "{{ config(materialized='incremental', unique_key='id', order_by='id') }}\n"
        "select id, id * 2 as twice from {{ ref('base') }}\n"
    )
    (tmp_path / "models" / "seen.sql").write_text(
        "select max(twice) as m from {{ ref('grown') }}\n"
    )
    (tmp_path / "models" / "schema.yml").write_text(
        "version: 2\nmodels:\n  - name: grown\n    columns:\n      - name: id\n"
        "        data_tests: [unique, not_null]\n"
    )
    for words in (["run"], ["run"], ["test"]):
        done = subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--quiet", *words, "--profiles-dir", "."],
            cwd=tmp_path,
            env=os.environ | {"DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert post(warehouse, b"SELECT m FROM dbt_tiny.seen")[2] == b"18\n"


def test_great_expectations_checks_rows(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, some at import
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        frame = warehouse.client.query_df("SELECT number AS id, number % 7 AS k FROM numbers(1000)")
        source = context.data_sources.add_pandas("rows").add_dataframe_asset("asset")
        batch = source.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        good = batch.validate(gx.expectations.ExpectColumnValuesToBeUnique(column="id"))
        bad = batch.validate(gx.expectations.ExpectColumnValuesToBeUnique(column="k"))
    assert good.success
    assert not bad.success


def test_who_started_a_query_kills_it_and_nobody_else(tmp_path: Path) -> None:
    password = "s3cret-word"
    users = [identity.new_user(name, "analyst", password) for name in ("ann", "bob")]
    identity.save(identity.path_in(tmp_path), {user.name: user for user in users})
    server = Warehouse(tmp_path)
    server.start()
    try:
        kill = b"KILL QUERY WHERE query_id = 'slow one'"
        ann = {"user": "ann", "password": password}
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(post, server, BUSY, query_id="slow one", **ann)
            # An analyst does not see whether it has begun: tried until it is there.
            refused = post(server, kill, user="bob", password=password)
            deadline = time.monotonic() + 30
            while not slow.done():
                assert time.monotonic() < deadline, "not killed within 30 s"
                post(server, kill, **ann)
                threading.Event().wait(0.05)
            status, headers, _ = slow.result()
        assert refused[1]["x-clickhouse-exception-code"] == "164"
        assert (status, headers["x-clickhouse-exception-code"]) == (500, "394")
    finally:
        server.stop()


def test_headers_say_what_was_answered(warehouse: Warehouse) -> None:
    headers = post(warehouse, b"SELECT number FROM numbers(3) FORMAT JSONEachRow", query_id="h1")[1]
    assert headers["x-clickhouse-query-id"] == "h1"
    assert headers["x-clickhouse-format"] == "JSONEachRow"
    assert headers["x-clickhouse-timezone"]
    assert json.loads(headers["x-clickhouse-summary"])["result_rows"] == "3"
    silent = post(warehouse, b"CREATE TABLE IF NOT EXISTS tickhouse.schema_migration (a Int8)")
    assert "x-clickhouse-format" not in silent[1]
    failed = post(warehouse, b"SELECT nothing", query_id="h2")[1]
    assert (failed["x-clickhouse-query-id"], failed["x-clickhouse-exception-code"]) == ("h2", "47")
