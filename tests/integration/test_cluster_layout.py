"""The cluster's tables on a real engine: parsed whole, and run on a cluster of one shard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.clickhouse import client, corrections, marts, migrate, retention, writer
from adapters.clickhouse.cluster import SHARDED, Cluster
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from audit.retention import tables
from core.errors import WarehouseError
from tests.integration.test_import import rows, tickhouse_import
from tests.integration.test_warehouse_survives import ticks_of
from tests.support import one_shard
from tests.support.told_ticks import bids, ticks_file
from tests.support.warehouse_server import FEATURES, ROOT, Warehouse

pytestmark = [pytest.mark.process]
FIRM = Cluster("firm", "tickhouse")
_VIEWS = "SELECT name FROM system.tables WHERE database = 'tickhouse' AND engine = 'View'"
_PARAMETER = re.compile(r"\{\w+:\w+\}")
_PARAMETRISED = 51  # code of a view that wants its parameters before it has columns


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse whose tables are as a cluster has them."""
    server = Warehouse(tmp_path_factory.mktemp("cluster"))
    with pytest.MonkeyPatch.context() as patch:
        for module in (client, writer):
            patch.setattr(module, "cluster_of", one_shard.of)
        server.start()
        try:
            server.migrate()
            yield server
        finally:
            server.stop()


def test_every_statement_for_a_cluster_is_read_by_the_engine(spread: Warehouse) -> None:
    connection = spread.client
    of_marts = [s.replace(marts.DATABASE, "`m`", 1) for s in marts.statements().values()]
    own = [s for migration in migrate.product_migrations() for s in migration.statements()]
    for statement in [*own, *of_marts, corrections.LEAVE_OUT]:
        for becomes in FIRM.statements(statement):
            text = _PARAMETER.sub("'2020-01-01'", becomes.replace("{database}", "`tickhouse`"))
            connection.raw_query(f"EXPLAIN AST {text}")


def test_the_tables_are_spread(spread: Warehouse) -> None:
    query = "SELECT name FROM system.tables WHERE database = 'tickhouse' AND engine = 'Distributed'"
    assert {name for (name,) in rows(spread, query)} == SHARDED


def _code(server: Warehouse, view: str) -> int | None:
    try:
        with client.errors_translated():
            server.client.query(f"SELECT * FROM `{view}` LIMIT 1")
    except WarehouseError as error:
        return error.code
    return 0


def test_every_view_answers_over_them(spread: Warehouse) -> None:
    codes = {str(view): _code(spread, str(view)) for (view,) in rows(spread, _VIEWS)}
    assert set(codes.values()) == {0, _PARAMETRISED}, codes
    assert list(codes.values()).count(_PARAMETRISED) < 10


def test_a_block_that_is_sent_again_is_stored_once_and_counted_once(spread: Warehouse) -> None:
    columns = tick_columns("again", "EURUSD", ticks_of(0))
    with Writer(spread.settings) as stores:
        stores.insert("tick", columns)
        stores.insert("tick", columns)
    of_source = "FROM {} WHERE source = 'again'"
    count = len(ticks_of(0))
    assert rows(spread, f"SELECT count() {of_source.format('tick_local')}") == [(count,)]
    bars = f"SELECT sum(tick_count) {of_source.format('bar')} AND interval = '1h'"
    assert rows(spread, bars) == [(count,)]


def test_a_corrected_price_leaves_the_shards_table_and_bars_follow(
    spread: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickhouse_import(spread, ticks_file(tmp_path / "a", ["1.10", "1.39", "1.12"]))
    tickhouse_import(spread, ticks_file(tmp_path / "b", ["1.10", "1.19", "1.12"]))
    assert "1 corrected, 0 withdrawn" in capsys.readouterr().out
    mine = "source != 'again'"
    assert rows(spread, f"SELECT count() FROM tick_local WHERE {mine}") == [(3,)], "without FINAL"
    for interval in ("1s", "1m", "5m", "1h"):
        query = f"SELECT toFloat64(bid_high) FROM bar WHERE interval = '{interval}' AND {mine}"
        assert rows(spread, query) == [(1.19,)]


def test_a_second_start_changes_nothing_and_adds_a_feature(spread: Warehouse) -> None:
    assert spread.migrate() == []
    migrate.apply(spread.client, [*FEATURES, "feature_99"])
    for table in ("feature", "feature_local"):
        query = (
            f"SELECT count() FROM system.columns WHERE table = '{table}' AND name = 'feature_99'"
        )
        assert rows(spread, query) == [(1,)]


def test_retention_is_of_the_parts_and_said_by_the_tables_name(spread: Warehouse) -> None:
    statements = retention.apply(spread.client, {"tick": 365})
    assert len(statements) == 2
    assert retention.apply(spread.client, {"tick": 365}) == []
    ttl = "SELECT create_table_query LIKE '%toIntervalDay(365)%' FROM system.tables WHERE name = "
    assert rows(spread, f"{ttl} 'tick_local'") == [(1,)]
    assert "tick" in {table.name for table in tables.tables(spread.client)}
    retention.apply(spread.client, {})


def test_marts_are_made_before_dbt_ever_ran(spread: Warehouse) -> None:
    assert len(marts.make(spread.client)) == len(marts.MODES) * len(marts.statements())
    assert marts.make(spread.client) == []
    assert bids(spread)


def test_a_database_of_one_server_is_not_taken_for_a_clusters(tmp_path: Path) -> None:
    server = Warehouse(tmp_path)
    server.start()
    try:
        migrate.apply(server.client, (), migrate.product_migrations()[:3])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client, "cluster_of", one_shard.of)
            with pytest.raises(WarehouseError, match="begun on one server"):
                migrate.apply(server.client, ())
    finally:
        server.stop()


def _statements(name: str) -> list[str]:
    text = (ROOT / "containers" / name).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [" ".join(one.split()) for one in "\n".join(lines).split(";") if one.strip()]


def test_roles_of_a_cluster_are_those_of_one_server_on_all(spread: Warehouse) -> None:
    on_all = _statements("clickhouse-roles-cluster.sql")
    for statement in on_all:
        spread.client.raw_query("SELECT formatQuery({sql:String})", parameters={"sql": statement})
    alone = [
        one.replace(" ON CLUSTER '{cluster}'", "").replace("tick_local", "tick") for one in on_all
    ]
    assert alone[:-2] == _statements("clickhouse-roles.sql")
