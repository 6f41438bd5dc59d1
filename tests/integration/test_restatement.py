"""What follows from a correction, on a real warehouse with marts and a report that dbt built."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import migrate
from cli.main import main
from core import audit_log
from core.clock import ManualClock
from core.settings import Settings
from features.catalog import NAMES
from orchestration import reporting
from orchestration.restatement import marts, rows
from orchestration.restatement.work import Desk
from reports import catalog, package
from reports.package import Version
from reports.tables import rows_of
from tests.support.compliance import DAY, TEMPLATES, import_reference, trading_day
from tests.support.corrections import correct, steady_ticks, store_ticks
from tests.support.orders import at, journalled, store
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

THE_DAY = date.fromisoformat(DAY)
ORDER = at(f"{DAY} 10:00:05") // 1000  # what the order on EURUSD was decided on
QUICK = ("--select", "+fct_data_quality_daily", "--exclude-resource-type", "unit_test")
QUALITY = "tickhouse_marts.fct_data_quality_daily"
REPORT = "execution-quality"


class Home(NamedTuple):
    """A home with a day's marts, and one report of it that was filed."""

    desk: Desk
    client: Client
    server: Warehouse

    def quality(self) -> list[tuple[object, ...]]:
        return list(
            self.client.query(
                f"SELECT ticks, round(spread_max, 6) FROM {QUALITY} ORDER BY trading_day, source"
            ).result_rows
        )

    def versions(self) -> list[Version]:
        base = self.desk.settings.home_path / "reports"
        return package.versions(package.folder_of(base, REPORT, THE_DAY, "live"))

    def audited(self) -> list[str]:
        events = audit_log.read(audit_log.path_in(self.desk.settings.home_path))
        return [event.detail for event in events if event.action == "restate"]

    def restated(self, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
        """What `tickhouse restate --json` says, by correction, kind and subject."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(self.desk.settings.home_path))
            self.server.reached(patch)
            assert main(["restate", "--json", *options]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["problems"] == []
        return {
            f"{row['correction_id']} {row['what']} {row['subject']}": row
            for row in told["restatements"]
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    server = Warehouse(folder)
    server.start()
    try:
        migrate.apply(server.client, NAMES)
        store_ticks(server.settings, steady_ticks(f"{DAY} 09:30", 7200))
        store_ticks(server.settings, steady_ticks(f"{DAY} 09:30", 3600), source="fxcm")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(folder))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
        store(server.settings, journalled(folder / "execution" / "acc1" / "journal", trading_day()))
        server.client.command(
            "INSERT INTO signal (run_id, mode, account, strategy, source, symbol, signal_id,"
            " ts_event, ts_horizon, target) SELECT run_id, mode, account, strategy, source, symbol,"
            " signal_id, min(ts_event), min(ts_event) + 60, 1 FROM order_event FINAL GROUP BY ALL"
        )
        settings = Settings(home=str(folder), clickhouse=server.settings_of("commands"))
        desk = Desk(settings, server.client, ManualClock(at("2026-03-09 10:00")), "ann")
        marts.build(desk, {"mode": "live"}, *QUICK)
        report = catalog.named(REPORT)
        reporting.build_report(settings, report, THE_DAY, "live", None, "ann", desk.clock)
        yield Home(desk, server.client, server)
    finally:
        server.stop()


def test_a_corrected_price_restates_its_day_though_the_rows_are_as_many(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.quality() == [(3600, 0.0001), (7200, 0.0001)]
    filed = home.versions()[0]
    was = {path.name: path.read_bytes() for path in filed.folder.iterdir()}
    correct(home.client, ORDER, 1.17, 1.175, "2026-03-09 09:00", what=("check", "mart", "report"))

    pending = home.restated(capsys, "--dry-run")
    assert {row["status"] for row in pending.values()} == {"pending"}
    told = home.restated(capsys)
    assert {row["status"] for row in told.values()} == {"done"}

    # Marts: as many rows, another spread; which and how is written down.
    assert home.quality() == [(3600, 0.0001), (7200, 0.005)]
    part = told[f"c1 mart {QUALITY}"]
    before, after = json.loads(part["before"]), json.loads(part["after"])
    assert (part["rows"], before["rows"], after["rows"]) == (1, 1, 1)
    assert '"ticks":7200' in before["shown"][0]
    assert '"ticks":7200' in after["shown"][0]

    # Checks of the day, which was never checked before.
    found = json.loads(told["c1 check check_result"]["after"])
    assert found
    assert all("oanda.EURUSD" in check for check in found), found

    # The report: made again beside what was filed, of which not a byte is another.
    first, second = home.versions()
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == was
    assert second.manifest.restates == 1
    assert (
        second.manifest.inputs["tick corrections"] == "1, the last of 2026-03-09T09:00:00.000000Z"
    )
    report = told[f"c1 report {REPORT} {DAY}"]
    assert json.loads(report["before"])["version"] == 1
    assert json.loads(report["after"])["version"] == 2
    lines = [
        {tuple(row.items()) for row in rows_of(v.folder / "orders.csv")} for v in (first, second)
    ]
    assert json.loads(report["after"])["tables"]["orders.csv"]["changed"] == len(
        lines[1] - lines[0]
    )
    assert len(lines[1] - lines[0]) == 1
    assert len(home.audited()) == 3

    # And nothing more the next time.
    assert home.restated(capsys) == told
    assert len(home.versions()) == 2
    assert len(home.audited()) == 3


def test_what_nobody_listed_is_rebuilt_by_the_nightly_build_all_the_same(home: Home) -> None:
    """By the rows alone: a correction whose list of what follows was never written."""
    correct(home.client, ORDER + 1000, 1.17, 1.18, "2026-03-09 09:30", "c2", what=())
    marts.build(home.desk, {"mode": "live"}, *QUICK)
    assert home.quality() == [(3600, 0.0001), (7200, 0.01)]
    assert not rows.due(home.client)
