"""Migrations against the real engine, in a process of its own."""

import msgspec
import pytest

from adapters.clickhouse import migrate
from adapters.clickhouse.client import connect
from adapters.clickhouse.migrate import Migration
from core.errors import WarehouseError
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process


def test_statements_are_cut_at_semicolons_that_end_a_line() -> None:
    text = (
        "-- first\nCREATE TABLE a (x String DEFAULT ';') ENGINE = {engine:MergeTree};\nSELECT 1;\n"
    )
    assert Migration(1, "001_a.sql", text).statements() == [
        "-- first\nCREATE TABLE a (x String DEFAULT ';') ENGINE = MergeTree",
        "SELECT 1",
    ]


def test_the_checksum_does_not_depend_on_line_ends() -> None:
    unix, windows = Migration(1, "001_a.sql", "a\nb\n"), Migration(1, "001_a.sql", "a\r\nb\r\n")
    assert unix.checksum == windows.checksum


def test_every_shipped_statement_can_be_repeated() -> None:
    for migration in migrate.product_migrations():
        for statement in migration.statements():
            texts = (
                "IF NOT EXISTS", "IF EXISTS", "MATERIALIZE INDEX", "MODIFY SETTING", "OR REPLACE",
                "UPDATE -- noqa: PRS,LT05\nrecv_after_us",  # gives what it gave: test_tick_times
            )  # fmt: skip
            repeats = any(text in statement for text in texts)
            assert repeats, f"{migration.name}: {statement[:80]}"


def test_a_new_database_is_spared_views_that_a_later_file_drops(warehouse: Warehouse) -> None:
    view = "CREATE VIEW IF NOT EXISTS {} AS SELECT {} AS x"
    texts = [
        "CREATE TABLE IF NOT EXISTS feature (x Int8) ENGINE = {engine:MergeTree} ORDER BY x",
        view.format("kept", 1),
        view.format("again", 1),
        "DROP VIEW IF EXISTS again",
        view.format("again", 2),
        view.format("gone", 1),
        "DROP VIEW IF EXISTS gone",
    ]
    files = [Migration(n, f"{n:03d}_x.sql", text + ";\n") for n, text in enumerate(texts, 1)]
    connection = connect(msgspec.structs.replace(warehouse.settings, database="another"))
    migrate.apply(connection, [], files)
    sql = "SELECT (SELECT x FROM kept), (SELECT x FROM again), (SELECT count() FROM system.tables"
    rows = connection.query(f"{sql} WHERE database = 'another' AND name = 'gone')").result_rows
    assert rows == [(1, 2, 0)]
    assert migrate._lasting(texts) == [texts[n] for n in (0, 1, 3, 4, 6)]
    connection.command("DROP DATABASE another")


def test_a_changed_file_is_refused_and_named(warehouse: Warehouse) -> None:
    shipped = migrate.product_migrations()
    changed = Migration(1, shipped[0].name, shipped[0].text + "-- changed\n")
    with pytest.raises(WarehouseError, match=r"001_tick\.sql was changed"):
        migrate.apply(warehouse.client, [], [changed, *shipped[1:]])


def test_a_database_newer_than_the_product_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"lacks"):
        migrate.apply(warehouse.client, [], migrate.product_migrations()[:-1])


def test_a_later_file_is_applied_alone_and_once(warehouse: Warehouse) -> None:
    last = migrate.product_migrations()[-1].version + 1
    later = Migration(
        last,
        f"{last:03d}_later.sql",
        "CREATE TABLE IF NOT EXISTS later (x Int8) ENGINE = {engine:MergeTree} ORDER BY x;\n",
    )
    connection = warehouse.client
    connection.command("DELETE FROM schema_migration WHERE version = " + str(last))
    files = [*migrate.product_migrations(), later]
    assert migrate.apply(connection, [], files) == [later.name]
    assert migrate.apply(connection, [], files) == []
    connection.command(f"ALTER TABLE schema_migration DELETE WHERE version = {last}")


def test_equities_of_one_journal_number_are_kept_whenever_the_migration_was_killed(
    warehouse: Warehouse,
) -> None:
    connection, shipped = warehouse.client, migrate.product_migrations()
    before = next(m for m in shipped if m.name == "008_account_state.sql")
    connection.command("DROP TABLE IF EXISTS account_state")
    connection.command(before.statements()[0])
    row = "('r', 'live', 'a', '{}', now64(6, 'UTC'), 7, 'EUR', 100., {}, 0.)"
    for second in range(3):  # each an insert of its own: what comes together is merged at once
        values = row.format(f"2026-11-02 10:00:0{second}", 100 - second)
        connection.command(f"INSERT INTO account_state VALUES {values}")
    for _ in range(2):  # the second time as after a kill before it was recorded
        connection.command("DELETE FROM schema_migration WHERE version = 59")
        assert migrate.apply(connection, []) == ["059_account_state_by_time.sql"]
        connection.command("INSERT INTO account_state SELECT * FROM account_state")
        connection.command("OPTIMIZE TABLE account_state FINAL")
        kept = connection.query("SELECT equity FROM account_state ORDER BY ts_event").result_rows
        assert [equity for (equity,) in kept] == [100.0, 99.0, 98.0]


def test_a_feature_name_that_is_no_column_name_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="Drop Table"):
        migrate.apply(warehouse.client, ["Drop Table"])
