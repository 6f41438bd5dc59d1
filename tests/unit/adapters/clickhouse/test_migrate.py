"""Migrations against the real engine, in a process of its own."""

import pytest

from adapters.clickhouse import migrate
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
            texts = ("IF NOT EXISTS", "IF EXISTS", "MATERIALIZE INDEX", "MODIFY SETTING")
            repeats = any(text in statement for text in texts)
            assert repeats, f"{migration.name}: {statement[:80]}"


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


def test_a_feature_name_that_is_no_column_name_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="Drop Table"):
        migrate.apply(warehouse.client, ["Drop Table"])
