"""Backup, restore and retention on a real warehouse."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from adapters.clickhouse import archive, retention
from core.errors import InputError, SettingsError, WarehouseError
from tests.support.warehouse_server import ROOT, Warehouse, empty_tables, migrated, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

TICKS = (
    "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) SELECT 's', 'EURUSD', "
    "toDateTime64('2012-01-01', 6) + number, 0, 1 + number / 1000, 2 FROM numbers(1000)"
)


def test_a_backup_comes_back_row_by_row_with_its_bars(warehouse: Warehouse, tmp_path: Path) -> None:
    connection = warehouse.client
    connection.command(TICKS)
    connection.command("INSERT INTO tick_claim SELECT 's', 'another home', now64(6), false")
    bars = connection.query("SELECT * FROM bar ORDER BY ALL").result_rows
    manifest = archive.backup(
        connection, warehouse.home / "backups" / "one", "2024-01-01T00:00:00Z"
    )
    assert manifest.tables["tick"].rows == 1000
    assert archive.manifest_of(warehouse.home / "backups" / "one") == manifest
    with pytest.raises(WarehouseError, match="--replace"):
        archive.restore(connection, warehouse.home / "backups" / "one")
    connection.command("ALTER TABLE tick DELETE WHERE seq = 0", settings={"mutations_sync": 2})
    assert archive.restore(connection, warehouse.home / "backups" / "one", replace=True) == manifest
    assert connection.query("SELECT * FROM bar ORDER BY ALL").result_rows == bars
    # The materialized views are live again: a new tick makes its bar.
    connection.command(TICKS.replace("2012", "2013"))
    assert len(connection.query("SELECT * FROM bar").result_rows) == 2 * len(bars)
    # Who stored ticks when it was taken does not now.
    assert connection.command("SELECT count() FROM tick_claim") == 0
    assert "tickhouse_proof" not in connection.command("SHOW DATABASES")


def test_a_damaged_backup_is_refused_and_nothing_is_dropped(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    connection = warehouse.client
    empty_tables(warehouse)
    connection.command(TICKS)
    folder = warehouse.home / "backups" / "two"
    manifest = archive.backup(connection, folder, "2024-01-01T00:00:00Z")
    false = manifest.tables | {"tick": archive.TableSum(1000, "1")}
    changed = msgspec.structs.replace(manifest, tables=false)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(changed))
    with pytest.raises(InputError, match="table tick: the manifest says"):
        archive.restore(connection, folder, replace=True)
    assert connection.command("SELECT count() FROM tick") == 1000


def test_no_backup_and_a_folder_in_use_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished backup"):
        archive.restore(warehouse.client, tmp_path)
    with pytest.raises(InputError, match="exists already"):
        archive.backup(warehouse.client, tmp_path, "")


@pytest.mark.heavy(suite="warehouse")
def test_the_commands_move_a_warehouse_to_another_home(tmp_path: Path) -> None:
    first = migrated(tmp_path / "a")
    first.client.command(TICKS)
    first.stop()

    def tickhouse(home: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from cli.main import main; raise SystemExit(main())", *words],
            cwd=ROOT,
            env={"TICKHOUSE_HOME": str(tmp_path / home), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    copy = str(tmp_path / "copy")
    done = tickhouse("a", "backup", "--to", copy)
    assert done.returncode == 0, done.stderr
    done = tickhouse("b", "restore", copy)
    assert done.returncode == 0, done.stderr
    assert "counts and checksums of the restored copy agree" in done.stdout
    assert "--replace" in tickhouse("b", "restore", copy).stderr
    assert "no finished backup" in tickhouse("b", "restore", str(tmp_path)).stderr


def test_retention_counts_from_ingest_so_old_ticks_stay(warehouse: Warehouse) -> None:
    connection = warehouse.client
    empty_tables(warehouse)
    assert retention.apply(connection, {}) == []
    assert len(retention.apply(connection, {"tick": 30})) == 2
    assert retention.apply(connection, {"tick": 30}) == []
    connection.command(TICKS)  # of 2012
    connection.command("OPTIMIZE TABLE tick FINAL")
    assert connection.command("SELECT count() FROM tick") == 1000
    connection.command(
        TICKS.replace("2012", "2013")
        .replace("ask)", "ask, ts_stored)")
        .replace("2 FROM", "2, now() - INTERVAL 31 DAY FROM")
    )
    connection.command("OPTIMIZE TABLE tick FINAL")
    assert connection.command("SELECT count() FROM tick WHERE toYear(ts_event) = 2013") == 0
    assert connection.command("SELECT count() FROM tick") == 1000
    assert retention.apply(connection, {}) == ["ALTER TABLE `tick` REMOVE TTL"]


def test_retention_of_no_table_or_no_days_is_refused(warehouse: Warehouse) -> None:
    assert retention.parse(" tick=365, feature = 90,") == {"tick": 365, "feature": 90}
    for wrong in ("tick", "tick=0", "tick=1.5", "tick=year"):
        with pytest.raises(SettingsError, match="table=days"):
            retention.parse(wrong)
    with pytest.raises(SettingsError, match="no table tock"):
        retention.apply(warehouse.client, {"tock": 1})
