"""What follows from a correction, on a real warehouse with marts and a report that dbt built."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from cli.main import main
from core import audit_log
from core.clock import ManualClock
from core.settings import Settings, environment_of
from features.catalog import NAMES
from orchestration import reporting
from orchestration.restatement import marts, rows
from orchestration.restatement.work import Desk
from reports import catalog, package, statement_changes
from reports.package import Version
from reports.statement import BrokerStatement, StatementDeal, StatementFunds
from reports.tables import rows_of
from tests.support.compliance import DAY, TEMPLATES, import_reference, trading_day
from tests.support.corrections import correct, steady_ticks, store_ticks, tick_file
from tests.support.dbt_command import share_reading
from tests.support.orders import at, journalled, store
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

THE_DAY = date.fromisoformat(DAY)
ORDER = at(f"{DAY} 10:00:05") // 1000  # what the order on EURUSD was decided on
TICKS = steady_ticks(f"{DAY} 09:30", 7200)
QUICK = ("--select", "+fct_data_quality_daily")
QUALITY = "tickhouse_marts.fct_data_quality_daily"
REPORT = "execution-quality"
ONE_DAY = timedelta(1)


class Home(NamedTuple):
    """A home with a day's marts, and one report of it that was filed."""

    desk: Desk
    client: Client
    server: Warehouse

    def command(self, *words: str) -> int:
        """`tickhouse` on this home."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(self.desk.settings.home_path))
            self.server.reached(patch)
            return main(list(words))

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
        capsys.readouterr()
        assert self.command("restate", "--json", *options) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["problems"] == []
        return {f"{row['what']} {row['subject']}": row for row in report["restatements"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    server = migrated(folder, NAMES)
    share_reading(folder)
    try:
        settings = Settings(home=str(folder), clickhouse=server.settings_of("commands"))
        desk = Desk(settings, server.client, ManualClock(at("2026-03-09 10:00")), "ann")
        built = Home(desk, server.client, server)
        first = tick_file(folder / "first", "EURUSD_oanda", TICKS)
        assert built.command("import", str(first)) == 0
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
        marts.build(desk, {"mode": "live"}, *QUICK)
        report = catalog.named(REPORT)
        reporting.build_report(settings, report, THE_DAY, "live", None, "ann", desk.clock)
        yield built
    finally:
        server.stop()


def test_a_corrected_price_restates_its_day_though_the_rows_are_as_many(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.quality() == [(3600, 0.0001), (7200, 0.0001)]
    filed = home.versions()[0]
    was = {path.name: path.read_bytes() for path in filed.folder.iterdir()}
    corrected = TICKS.copy()
    corrected["bid"][corrected["time_msc"] == ORDER] = 1.17
    corrected["ask"][corrected["time_msc"] == ORDER] = 1.175
    folder = home.desk.settings.home_path / "second"
    second_file = tick_file(folder, "EURUSD_oanda", corrected)
    assert home.command("import", str(second_file), "--reason", "the vendor's word") == 0

    pending = home.restated(capsys, "--dry-run")
    assert {"feature *", "label *", "check *", "mart *", "report *"} <= pending.keys()
    restated = home.restated(capsys)
    assert {row["status"] for row in restated.values()} == {"done", "marked"}

    # Marts: as many rows, another spread; which and how is written down.
    assert home.quality() == [(3600, 0.0001), (7200, 0.005)]
    part = restated[f"mart {QUALITY}"]
    before, after = json.loads(part["before"]), json.loads(part["after"])
    assert (part["rows"], before["rows"], after["rows"]) == (1, 1, 1)
    assert '"ticks":7200' in before["shown"][0]
    assert '"ticks":7200' in after["shown"][0]

    # Checks of the day, which was never checked before.
    failed = json.loads(restated["check check_result"]["after"])
    assert failed
    assert all("oanda.EURUSD" in check for check in failed), failed

    # The report: made again beside what was filed, of which not a byte is another.
    first, second = home.versions()
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == was
    assert second.manifest.restates == 1
    assert second.manifest.inputs["tick corrections"].startswith("1, the last of ")
    report = restated[f"report {REPORT} {DAY}"]
    assert json.loads(report["before"])["version"] == 1
    assert json.loads(report["after"])["version"] == 2
    lines = [
        {tuple(row.items()) for row in rows_of(v.folder / "orders.csv")} for v in (first, second)
    ]
    assert json.loads(report["after"])["tables"]["orders.csv"]["changed"] == len(
        lines[1] - lines[0]
    )
    assert len(lines[1] - lines[0]) == 1
    audited = home.audited()
    assert len(audited) == 5

    # And nothing more the next time.
    assert home.restated(capsys) == restated
    assert len(home.versions()) == 2
    assert home.audited() == audited


def statement(day: date, price: float) -> BrokerStatement:
    """What the broker says of the order on EURUSD, and of the account."""
    head = (day, at(f"{day} 23:30"), "live", "acc1")
    deal = StatementDeal(
        *head, deal=5, position=5, kind="buy", entry="in", symbol="EURUSD",
        ts_event_us=at(f"{DAY} 10:00:05"), volume=0.1, price=price, commission=-1.0, swap=0.0,
        profit=0.0,
    )  # fmt: skip
    return BrokerStatement([deal], [], StatementFunds(*head, head[1], "USD", 100_000, 100_000))


def test_a_deal_that_the_broker_corrects_restates_the_reconciliation_of_its_day(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, report = home.desk.settings, catalog.named("broker-reconciliation")
    assert statement_changes.file(settings, statement(THE_DAY, 1.17123), "ann") == []
    filed, _ = reporting.build_report(
        settings, report, THE_DAY, "live", None, "ann", home.desk.clock
    )
    (change,) = statement_changes.file(settings, statement(THE_DAY + ONE_DAY, 1.17125), "bob")
    assert (change.deal, change.change, change.day) == (5, "correction", THE_DAY)

    rows_now = home.restated(capsys).values()
    again = [row for row in rows_now if row["subject"] == f"broker-reconciliation {DAY}"]
    assert [(row["source"], row["status"]) for row in again] == [("acc1", "done")]
    first, second = package.versions(filed.folder.parent)
    (was,), (now,) = (
        [
            row
            for row in rows_of(v.folder / "reconciliation.csv")
            if row["item_key"] == "5" and row["item"] == "deal"
        ]
        for v in (first, second)
    )
    assert (was["status"], now["status"]) == ("matched", "price differs")
    kept = home.client.query(
        "SELECT author, change, price, before FROM broker_correction FINAL"
    ).result_rows
    assert [row[:3] for row in kept] == [("bob", "correction", 1.17125)]
    assert json.loads(kept[0][3])[6] == 1.17123
    # The same word again changes nothing.
    assert statement_changes.file(settings, statement(THE_DAY + 2 * ONE_DAY, 1.17125), "bob") == []


def test_what_nobody_listed_is_rebuilt_by_the_nightly_build_all_the_same(home: Home) -> None:
    """By the rows alone: a correction whose list of what follows was never written."""
    correct(home.client, ORDER + 1000, 1.17, 1.18, "2026-03-09 09:30", "c2", what=())
    marts.build(home.desk, {"mode": "live"}, *QUICK)
    assert home.quality() == [(3600, 0.0001), (7200, 0.01)]
    assert not rows.due(home.client)


def test_marts_that_were_built_when_the_process_died_still_say_what_they_said_before(
    home: Home,
) -> None:
    widest = max(spread for _, spread in home.quality())
    spread = round(widest + 0.01, 6)
    correct(
        home.client, ORDER + 2000, 1.17, 1.17 + spread, "2026-03-09 09:40", "c3", what=("mart",)
    )
    settings = home.desk.settings
    program = (
        "import sys\n"
        "from core import crashpoint\n"
        "from core.clock import SystemClock\n"
        "from core.settings import load\n"
        "from adapters.clickhouse.client import connect\n"
        "from orchestration.restatement import marts\n"
        "from orchestration.restatement.work import Desk\n"
        "settings = load()\n"
        "crashpoint.arm_for('restate', 'restate.built:1', settings.home_path / 'run')\n"
        "desk = Desk(settings, connect(settings.clickhouse), SystemClock(), 'ann')\n"
        "marts.restate(desk, *sys.argv[1:])\n"
    )
    where = msgspec.structs.asdict(settings.clickhouse)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *QUICK], check=False,
        env={**os.environ, **environment_of("clickhouse", **where),
             "TICKHOUSE_HOME": settings.home},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert home.quality() == [(3600, 0.0001), (7200, spread)], "built, and nobody was told"
    (closed,) = marts.restate(home.desk, *QUICK)
    assert (closed.correction_id, closed.status) == ("c3", "done")
    sides = [json.loads(side)[QUALITY]["shown"] for side in (closed.before, closed.after)]
    shown = [round(json.loads(side[0])["spread_max"], 6) for side in sides]
    assert shown == [widest, spread]


def report_corrected(home: Home, seconds: int, known: str, name: str) -> None:
    """A tick behind the filed report; of what follows only reports are to do."""
    correct(
        home.client, ORDER, 1.17, 1.175 + seconds / 1e4, f"2026-03-09 {known}", name,
        what=("report",),
    )  # fmt: skip
    # Its bars are made: what a correction that is not finished lacks, the next command adds.
    home.client.command(
        "INSERT INTO restatement SELECT correction_id, 'bar', 'bar', trading_day, source, symbol,"
        " 'done', ts_changed, 0, '', '' FROM restatement FINAL"
        f" WHERE correction_id = '{name}' LIMIT 1"
    )


def pending(home: Home) -> list[str]:
    return [f"{one.what} {one.correction_id}" for one in rows.due(home.client)]


def test_a_filed_version_that_is_damaged_leaves_its_report_pending(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    report_corrected(home, 1, "09:50", "c4")
    damaged = home.versions()[-1].folder / "orders.csv"
    was = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(was + b"one more\n")
    try:
        capsys.readouterr()
        assert home.command("restate", "--json") != 0
        (problem,) = set(json.loads(capsys.readouterr().out)["problems"])
        assert f"{REPORT} {DAY}" in problem
        assert "orders.csv; put it back" in problem
        assert "report c4" in pending(home)
    finally:
        damaged.write_bytes(was)
    assert home.restated(capsys)[f"report {REPORT} {DAY}"]["status"] == "done"
    assert pending(home) == []


def test_a_report_that_was_made_again_when_the_process_died_is_not_made_twice(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    report_corrected(home, 2, "09:55", "c5")
    before = len(home.versions())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cli.main", "restate"], check=False,
        env={**os.environ, **home.server.environment, "TICKHOUSE_HOME": str(home.server.home),
             "TICKHOUSE_CHAOS__CRASH_AT": "restate.reported:1"},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert pending(home) == ["report c5"]
    home.restated(capsys)
    assert len(home.versions()) <= before + 1
    assert pending(home) == []


_JOB = """
from orchestration.definitions import definitions
result = definitions().resolve_job_def("restatement_job").execute_in_process()
assert result.success
(event,) = result.asset_materializations_for_node("restated_days")
assert event.metadata["dagster/row_count"].value >= 1
"""


def test_dagsters_own_job_works_off_what_is_pending(home: Home) -> None:
    report_corrected(home, 3, "09:57", "c6")
    environment = {**os.environ, **home.server.environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _JOB], capture_output=True, text=True,
        env={**environment, "TICKHOUSE_HOME": str(home.server.home)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert pending(home) == []


def test_marts_of_a_corrected_day_whose_ticks_retention_took_stay_as_they_were(home: Home) -> None:
    built = home.quality()
    correct(
        home.client, ORDER + 4000, 1.17, 1.3, "2026-03-09 09:58", "c7", what=("mart",),
        source="fxcm",
    )  # fmt: skip
    home.client.command("DELETE FROM tick WHERE source = 'fxcm' AND bid < 1.3 AND seq = 0")
    marts.restate(home.desk, *QUICK)
    kept = {row.subject: row for row in rows.listed(home.client) if row.correction_id == "c7"}
    assert kept[QUALITY].status == "marked"
    assert "no longer stored" in kept[QUALITY].after
    assert home.quality() == built
