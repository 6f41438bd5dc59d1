"""What `doctor` says of a warehouse: each check with a good and a bad finding, and for real."""

from pathlib import Path

import msgspec
import pytest

from cli.diagnostics import checks_warehouse
from core.sections import ClickhouseSettings
from core.settings import Settings
from tests.support.warehouse_server import migrated

GIB = 2**30


def test_parts_merges_and_memory_are_judged() -> None:
    assert checks_warehouse.parts([("tick", "202401", 5)]).result == "ok"
    assert checks_warehouse.parts([]).result == "ok"
    assert checks_warehouse.parts([("tick", "202401", 900)]).result == "warning"
    assert checks_warehouse.merges(1, 3.0).result == "ok"
    assert checks_warehouse.merges(1, 3600.0).result == "warning"
    assert checks_warehouse.memory(GIB, 16 * GIB).result == "ok"
    assert checks_warehouse.memory(12 * GIB, 16 * GIB).result == "warning"


def test_days_until_full_follow_compression_and_this_weeks_inserts() -> None:
    # 7 GiB in 7 days, a tenth on disk: 0.1 GiB a day.
    good = checks_warehouse.disk(100 * GIB, GIB, 10 * GIB, 7 * GIB, 7.0)
    assert (good.result, "full in 1,000 days" in good.found) == ("ok", True)
    bad = checks_warehouse.disk(GIB, GIB, 10 * GIB, 7 * GIB, 7.0)
    assert (bad.result, "full in 10 days" in bad.found) == ("warning", True)
    assert "not filling" in checks_warehouse.disk(GIB, 0, 0, 0, 0.0).found


@pytest.mark.process
def test_a_running_warehouse_is_looked_at_and_a_missing_one_is_not(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    assert list(checks_warehouse.warehouse_checks(settings)) == []
    server = migrated(tmp_path)
    try:
        checks = list(checks_warehouse.warehouse_checks(settings))
        assert [check.name.removeprefix("warehouse ") for check in checks] == [
            *("parts", "merges", "memory", "disk")
        ]
        wrong = msgspec.structs.replace(settings, clickhouse=ClickhouseSettings(password="no"))
        (refused,) = checks_warehouse.warehouse_checks(wrong)
        assert (refused.result, "516" in refused.found) == ("failed", True)
    finally:
        server.stop()
