"""What statements become on a cluster; that the engine reads them, test_cluster_layout says."""

import re

import pytest

from adapters.clickhouse import marts
from adapters.clickhouse.cluster import KEY, LOCAL, SHARDED, Cluster, cluster_of
from adapters.clickhouse.migrate import product_migrations
from core.errors import SettingsError, WarehouseError
from core.sections import ClickhouseSettings

FIRM = Cluster("firm", "tickhouse")
_OWN_MARTS = [
    s.replace(marts.DATABASE, "`tickhouse_marts`", 1) for s in marts.statements().values()
]


def of_migrations() -> list[str]:
    return [s for migration in product_migrations() for s in migration.statements()]


def _letters(text: str) -> str:
    return re.sub(r"[;\s]+", "", text)


def test_without_a_cluster_each_statement_is_the_files_text() -> None:
    for migration in product_migrations():
        text = re.sub(r"\{engine:(\w+)\}", r"\1", migration.text)
        assert all(statement in text for statement in migration.statements())
        assert _letters("".join(migration.statements())) == _letters(text)


def test_without_the_setting_there_is_no_cluster() -> None:
    assert cluster_of(ClickhouseSettings(url="http://127.0.0.1:1")) is None


@pytest.mark.parametrize("name", ["a b", "x`; DROP DATABASE y", "{cluster}", "é"])
def test_a_name_that_no_cluster_has_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"TICKHOUSE_CLICKHOUSE__CLUSTER"):
        cluster_of(ClickhouseSettings(cluster=name))


def test_every_table_is_replicated_and_made_on_every_server() -> None:
    created = [s for statement in of_migrations() for s in FIRM.statements(statement)]
    tables = [s for s in created if s.startswith("CREATE TABLE")]
    assert tables
    for statement in tables:
        assert " ON CLUSTER `firm`" in statement.splitlines()[0]
        assert re.search(
            r"ENGINE = (Replicated\w*MergeTree\('/tickhouse/firm/|Distributed\()", statement
        )


def test_a_path_belongs_to_one_table() -> None:
    created = [s for st in [*of_migrations(), *_OWN_MARTS] for s in FIRM.statements(st)]
    paths = [m[1] for s in created if (m := re.search(r"MergeTree\('([^']+)'", s))]
    assert len(paths) == len(set(paths)) > len(SHARDED)


def test_what_grows_with_ticks_is_divided_by_feed_and_its_repeats_are_remembered() -> None:
    created = [s for statement in of_migrations() for s in FIRM.statements(statement)]
    for table in SHARDED:
        local = next(
            s for s in created if s.startswith(f"CREATE TABLE IF NOT EXISTS `{table}{LOCAL}`")
        )
        assert f"/{table}/{{shard}}', '{{replica}}'" in local
        assert "replicated_deduplication_window_seconds = 604800" in local
        assert "non_replicated" not in local
        assert {"source ", "symbol "} <= set(re.findall(r"^    (source |symbol )", local, re.M))
        assert any(
            s.startswith(f"CREATE TABLE IF NOT EXISTS `{table}` ") and KEY in s for s in created
        )


def test_a_view_that_fills_bars_reads_and_writes_on_its_own_shard() -> None:
    feeds = [s for s in of_migrations() if "CREATE MATERIALIZED VIEW" in s]
    for statement in feeds:
        (becomes,) = FIRM.statements(statement)
        names = re.findall(r"\b(?:TO|FROM) (\w+)", becomes.split("\nAS SELECT")[0] + becomes)
        assert all(name.endswith(LOCAL) for name in names if name.removesuffix(LOCAL) in SHARDED)
        assert " ON CLUSTER `firm` TO " in becomes


@pytest.mark.parametrize(
    ("statement", "becomes"),
    [
        (
            "ALTER TABLE tick ADD COLUMN x UInt8 CODEC (ZSTD(1)) -- noqa: PRS",
            [
                "ALTER TABLE `tick_local` ON CLUSTER `firm` ADD COLUMN x UInt8 CODEC (ZSTD(1))",
                "ALTER TABLE `tick` ON CLUSTER `firm` ADD COLUMN x UInt8 CODEC (ZSTD(1))",
            ],
        ),
        (
            "ALTER TABLE `tick` DELETE WHERE seq = 1",
            ["ALTER TABLE `tick_local` ON CLUSTER `firm` DELETE WHERE seq = 1"],
        ),
        (
            "ALTER TABLE `tick` MODIFY TTL x + toIntervalDay(3) SETTINGS y = 0",
            [
                "ALTER TABLE `tick_local` ON CLUSTER `firm`"
                " MODIFY TTL x + toIntervalDay(3) SETTINGS y = 0"
            ],
        ),
        ("ALTER TABLE signal ADD COLUMN x UInt8", ["ALTER TABLE signal ADD COLUMN x UInt8"]),
        (
            "ALTER TABLE signal MODIFY SETTING x = 1",
            ["ALTER TABLE signal ON CLUSTER `firm` MODIFY SETTING x = 1"],
        ),
        ("DROP VIEW IF EXISTS bar", ["DROP VIEW IF EXISTS bar ON CLUSTER `firm`"]),
        (
            "CREATE DATABASE IF NOT EXISTS `tickhouse` ENGINE = Atomic",
            ["CREATE DATABASE IF NOT EXISTS `tickhouse` ON CLUSTER `firm` ENGINE = Atomic"],
        ),
        (
            "DROP DATABASE IF EXISTS `a` SYNC",
            ["DROP DATABASE IF EXISTS `a` ON CLUSTER `firm` SYNC"],
        ),
        ("DROP TABLE `m`.`tick`", ["DROP TABLE `m`.`tick` ON CLUSTER `firm` SYNC"]),
        (
            "DELETE FROM bar_1m WHERE x SETTINGS lightweight_deletes_sync = 0",
            ["DELETE FROM `bar_1m_local` ON CLUSTER `firm` WHERE x"],
        ),
        ("DELETE FROM signal WHERE x", ["DELETE FROM signal WHERE x"]),
        ("-- why\nSELECT 1", ["-- why\nSELECT 1"]),
        ("INSERT INTO bar_1m SELECT 1", ["INSERT INTO bar_1m SELECT 1"]),
    ],
)  # fmt: skip
def test_what_a_statement_becomes(statement: str, becomes: list[str]) -> None:
    assert FIRM.statements(statement) == becomes


@pytest.mark.parametrize(
    "statement",
    [
        "BACKUP DATABASE tickhouse TO File('x')",
        "RESTORE DATABASE tickhouse FROM File('x')",
        "RENAME TABLE a TO b",
        "OPTIMIZE TABLE tick FINAL",
        "DROP TABLE tick",
        "CREATE OR REPLACE TABLE signal (x Int8) ENGINE = MergeTree ORDER BY x",
        "CREATE TABLE a (x Int8) ENGINE = Memory",
        "ALTER TABLE tick ADD COLUMN x Int8, ADD INDEX y x TYPE minmax",
        "",
    ],
)
def test_what_nobody_thought_of_is_refused(statement: str) -> None:
    with pytest.raises(WarehouseError, match=r"cluster|replicated"):
        FIRM.statements(statement)
