"""Each rule about data, models and evidence fires with the real fault, and then resolves.

A home that lives: recent ticks through the real flows, judged by the product's own checks.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.clickhouse import marts
from adapters.offsite import backups, sealed, select
from audit import trail
from audit.export import export
from core import audit_log
from core.audit_log import AuditLine
from core.clock import ManualClock, SystemClock
from core.contracts.tick import TickArray
from core.errors import TickhouseError
from core.sections import ModelSettings
from core.settings import Settings
from models.monitoring.patrol import patrol
from models.serving.card import Span
from models.serving.registry import Registry
from models.training.train import fit
from quality.check_result import store
from quality.runner import check_day, latest_day
from quality.trail import trail_result
from reports.build import build_report
from reports.catalog import REPORTS
from reports.package import folder_of
from tests.integration.test_model_watch import store as store_predicted
from tests.support.alarm_desk import Alarms
from tests.support.datasets import planted_dataset
from tests.support.life import Feed, Life, model_of, of_day
from tests.support.recordings import recorded_ticks
from tests.support.small_disk import fill, small_disk
from tests.support.warehouse_server import Warehouse, migrated, warehouse

__all__ = ["small_disk", "warehouse"]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
TICKS, S = 3_000, 1_000_000
HOUR_US = 3_600 * S


class Living:
    """A home whose model predicts, and who is told of it."""

    def __init__(self, home: Path, server: Warehouse) -> None:
        self.life = Life(home, server)
        known = recent(0)
        registry = Registry(home / "models")
        champion = model_of([known], 1)
        registry.save(champion)
        registry.promote(champion.card.sha256, "ann")
        self.life.start(SystemClock().now_us(), run={"strategy": "model"})
        self.settings = replace(self.life.settings, clickhouse=server.settings)
        self.alarms = Alarms(self.settings)

    def changes(self, rule: str) -> set[str]:
        return {kind for kind, name in self.alarms.changes() if name == rule}


def recent(ago_s: int) -> TickArray:
    """Ticks of a recording's day as if the last of them were so long ago."""
    ticks = of_day(recorded_ticks("EURUSD_oanda"), 0, TICKS)
    ticks["time_msc"] += SystemClock().now_us() // 1000 - ago_s * 1000 - ticks["time_msc"][-1]
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


@pytest.fixture(scope="module")
def living(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Living:
    return Living(tmp_path_factory.mktemp("living"), warehouse)


def test_a_flow_that_stops_predicting_and_comes_back(living: Living) -> None:
    ticks = recent(30)
    middle = int(np.searchsorted(ticks["time_msc"], ticks["time_msc"][-1] - 300_000))
    living.life.trade(Feed("oanda", "EURUSD", ticks[:middle]))
    assert living.changes("predictions_stale") == set()
    living.life.trade(Feed("oanda", "EURUSD", ticks[middle:]), flows=("ticks",))
    assert living.changes("predictions_stale") == {"fired"}
    living.life.trade(flows=("signals",))
    assert living.changes("predictions_stale") == {"resolved"}


def test_a_market_unlike_that_of_the_training_and_one_like_it(
    living: Living, warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = replace(living.settings, home=str(tmp_path))
    learnt = ModelSettings(5.0, 2, 1, 0.02, threads=1, members=("xgboost",))
    champion = fit(planted_dataset(), "r", learnt, simulated=True)
    registry = Registry(tmp_path / "models")
    registry.save(champion)
    registry.promote(champion.card.sha256, "ann")

    def watched(hours_ago: int, moved: float, rows: int = 6_000) -> set[str]:
        data, now_us = planted_dataset(rows), SystemClock().now_us()
        data = data._replace(time_us=data.time_us + now_us - hours_ago * 3_600 * S)
        data.rows[:, 3:20] += moved
        store_predicted(warehouse, data, [champion, champion])
        span = Span(int(data.time_us[0]), int(data.time_us[-1]) + 1)
        patrol(living.life.client, registry, span, settings)
        return living.changes("drift")

    assert watched(35, 3.0, rows=3_000) == set(), "a young home has seen too little"
    assert watched(30, 0.0) == set()
    assert watched(20, 3.0) == {"fired"}
    assert watched(10, 0.0) == {"resolved"}


def test_ticks_that_nobody_checked_and_then_are_taken_out(living: Living) -> None:
    living.life.trade(Feed("oanda", "EURUSD", recent(5)[-300:]), flows=("ticks",))

    def checked() -> set[str]:
        day = latest_day(living.life.client)
        assert day
        # Other feeds here hold planted rows, whose values no check would let pass.
        check_day(living.life.client, day, SystemClock(), symbols=["EURUSD"])
        return living.changes("failed_check")

    assert checked() == set()
    living.life.client.command(
        "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) SELECT 'oanda', 'EURUSD',"
        " now64(3) - INTERVAL 1 SECOND, number, 1.2, 1.1 FROM numbers(500)"
    )
    assert checked() == {"fired"}
    living.life.client.command(
        "DELETE FROM tick WHERE bid > ask", settings={"lightweight_deletes_sync": 2}
    )
    assert checked() == {"resolved"}


def test_a_log_of_people_that_was_rewritten_and_put_back(living: Living) -> None:
    home, clock = living.settings.home_path, SystemClock()

    def verified() -> set[str]:
        verification = trail.verify_home(
            living.settings, (), living.life.client, trail.archive(living.settings), None, clock
        )
        words, events = [str(one) for one in verification.breaks], len(verification.verdicts)
        store(living.life.client, [trail_result(events, words, clock.now_us())])
        return living.changes("failed_audit")

    for number in range(3):
        line = AuditLine(clock.now_us(), "ann", True, "override", "more", reason=f"news {number}")
        audit_log.append(home, line)
    assert verified() == set()
    log = audit_log.path_in(home)
    written = log.read_bytes()
    log.write_bytes(written.replace(b"news 1", b"calm 1"))
    assert verified() == {"fired"}
    log.write_bytes(written)
    assert verified() == {"resolved"}


def test_a_report_that_nobody_made_for_yesterday_and_then_somebody_did(living: Living) -> None:
    client, settings, clock = living.life.client, living.settings, SystemClock()
    marts.make(client)
    today = datetime.now(UTC)

    def built(days_ago: int) -> set[str]:
        day = today.date() - timedelta(days=days_ago)
        folder = folder_of(settings.home_path / "reports", "clock-sync", day, "demo")
        build_report(
            settings=settings, client=client, report=REPORTS["clock-sync"], day=day, mode="demo",
            report_folder=folder, built=("none", settings.home_path), clock=clock, by="dagster",
        )  # fmt: skip
        export(client, settings.clickhouse, settings.home_path)
        return living.changes("report_late")

    expected = today.hour >= 3  # until then nobody expects it
    assert built(2) == ({"fired"} if expected else set())
    assert built(1) == ({"resolved"} if expected else set())


def test_a_disk_that_fills_and_has_space_again(small_disk: Path) -> None:
    server = migrated(small_disk / "home", ())
    try:
        alarms = Alarms(replace(Settings(home=str(small_disk.parent)), clickhouse=server.settings))
        assert ("fired", "disk") not in alarms.changes()
        filler = fill(small_disk, leave_mib=3)
        assert ("fired", "disk") in alarms.changes()
        filler.unlink()
        assert ("resolved", "disk") in alarms.changes()
    finally:
        server.stop()


def test_backups_that_cannot_leave_the_host_and_one_that_can(tmp_path: Path) -> None:
    server, there, now_us = migrated(tmp_path / "home"), tmp_path / "there", SystemClock().now_us()
    sealed.make_key(tmp_path / "key")
    there.mkdir()
    try:
        life = Life(tmp_path / "home", server)
        away = {"destination": str(there), "keyfile": str(tmp_path / "key")}
        life.start(now_us - 50 * HOUR_US, backup=away)
        settings = replace(life.settings, clickhouse=server.settings)
        alarms = Alarms(settings)

        def backup(hours_ago: int) -> None:
            clock = ManualClock(now_us - hours_ago * HOUR_US)
            place = select.select(settings.backup, settings.home_path)
            backups.make(life.client, settings, place, clock)

        def changes() -> set[str]:
            return {kind for kind, name in alarms.changes() if name == "backup_old"}

        backup(37)
        there.rename(tmp_path / "unplugged")
        for night in (25, 1):
            with pytest.raises(TickhouseError):
                backup(night)
        assert changes() == {"fired"}
        (tmp_path / "unplugged").rename(there)
        backup(0)
        assert changes() == {"resolved"}
    finally:
        server.stop()
