"""A fill that the broker corrects or busts later restates what was made of it, and is listed."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from core.clock import ManualClock
from core.settings import Settings
from features.catalog import NAMES
from orchestration import reporting
from orchestration.restatement import marts, reports, rows
from orchestration.restatement.work import Desk
from reports import catalog, package, statement_changes
from reports.package import Version
from reports.statement import BrokerStatement, StatementDeal, StatementFunds
from reports.tables import rows_of
from tests.support.compliance import DAY, TEMPLATES, import_reference, trading_day
from tests.support.dbt_command import share_reading
from tests.support.orders import at, filled, journalled, store
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

THE_DAY = date.fromisoformat(DAY)
REPORTS = ("rts22", "execution-quality", "order-records")
PROFIT = "tickhouse_marts.fct_pnl_daily"
QUICK = ("--select", "+fct_pnl_daily", "+fct_trade")
#: deal, position, side, volume, price, commission, profit; as we journalled them.
DEALS = (
    (1, 1, "buy", 1.0, 5000.25, -1.0, 0.0),
    (201, 20, "sell", 1.0, 5000.5, -1.0, 0.0),
    (202, 20, "sell", 1.5, 5000.0, -1.5, 0.0),
    (301, 1, "sell", 1.0, 4990.0, -1.0, -10.25),
)
#: Another price and volume; and both legs of a position that never was, as MetaTrader says it.
LATER = (
    (1, 1, "balance", 1.0, 5000.25, 0.0, 0.0),
    (201, 20, "sell", 0.8, 5000.75, -0.8, 0.0),
    (202, 20, "sell", 1.5, 5000.0, -1.5, 0.0),
    (301, 1, "balance", 1.0, 4990.0, 0.0, 0.0),
)
#: And another time of one of them.
MOVED = {201: f"{DAY} 11:30"}


class Home(NamedTuple):
    """A home whose reports of a day were filed before a broker corrected fills of it."""

    desk: Desk
    server: Warehouse
    filed: dict[str, bytes]  # every file of every filed report

    def versions(self, name: str) -> list[Version]:
        base = self.desk.settings.home_path / "reports"
        return package.versions(package.folder_of(base, name, THE_DAY, "live"))

    def files(self) -> dict[str, bytes]:
        """Of the first versions."""
        folders = [self.versions(name)[0].folder for name in REPORTS]
        return {str(path): path.read_bytes() for one in folders for path in one.iterdir()}

    def changed(self, name: str, file: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Rows that only the filed version has, and those that only the newest has."""
        first, last = (
            list(rows_of(version.folder / file))
            for version in (self.versions(name)[0], self.versions(name)[-1])
        )
        return [row for row in first if row not in last], [r for r in last if r not in first]


def statement(
    day: date, deals: tuple[tuple[int, int, str, float, float, float, float], ...],
    moved: dict[int, str],
) -> BrokerStatement:  # fmt: skip
    head = (day, at(f"{day} 23:30"), "live", "acc1")
    return BrokerStatement(
        [
            StatementDeal(
                *head, deal=deal, position=position, kind=kind, entry="in", symbol="EUIX50",
                ts_event_us=at(moved.get(deal, f"{DAY} 10:00")), volume=volume, price=price,
                commission=commission, swap=0.0, profit=profit,
            )
            for deal, position, kind, volume, price, commission, profit in deals
        ],
        [], StatementFunds(*head, head[1], "USD", 100_000, 100_000),
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    server = migrated(folder, NAMES)
    share_reading(folder)
    try:
        settings = Settings(home=str(folder), clickhouse=server.settings_of("commands"))
        desk = Desk(settings, server.client, ManualClock(at("2026-03-09 10:00")), "ann")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(folder))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
        store(server.settings, journalled(folder / "execution" / "acc1" / "journal", trading_day()))
        marts.build(desk, {"mode": "live"}, *QUICK)
        wanted = [catalog.named(name) for name in REPORTS]
        reporting.build(settings, wanted, THE_DAY, "live", "the night")
        for one in wanted:
            reporting.render(settings, one, THE_DAY, "live", "the night", "ann", desk.clock)
        filed = Home(desk, server, {})
        filed.filed.update(filed.files())
        statement_changes.file(settings, statement(THE_DAY, DEALS, {}), "ann")
        later = statement(THE_DAY + timedelta(1), LATER, MOVED)
        assert len(statement_changes.file(settings, later, "bob")) == 3
        yield filed
    finally:
        server.stop()


def test_a_corrected_fill_is_a_version_and_the_journal_stands(home: Home) -> None:
    client = home.desk.client
    versions = client.query(
        "SELECT venue_deal, version, kind, volume, price, author"
        " FROM fill_version"
        " ORDER BY venue_deal, version"
    ).result_rows
    assert versions == [
        (1, 0, "first", 1.0, 5000.25, ""), (1, 1, "withdrawal", 0.0, 5000.25, "bob"),
        (201, 0, "first", 1.0, 5000.5, ""), (201, 1, "correction", 0.8, 5000.75, "bob"),
        (301, 0, "first", 1.0, 4990.0, ""), (301, 1, "withdrawal", 0.0, 4990.0, "bob"),
    ]  # fmt: skip
    journal = "SELECT volume, price FROM order_event FINAL WHERE venue_deal = 201"
    assert client.query(journal).result_rows == [(1.0, 5000.5)]


def test_reports_and_marts_are_restated_with_before_and_after(home: Home) -> None:
    marts.restate(home.desk, *QUICK)
    assert reports.restate(home.desk).problems == []
    listed = {row.subject: row for row in rows.listed(home.desk.client)}
    assert {row.status for row in listed.values()} == {"done"}
    assert home.files() == home.filed, "what was filed stands"

    was, now = home.changed("rts22", "transactions.csv")
    prices = [(row["venue_deal"], row["f30_quantity"], row["f33_price"]) for row in was]
    assert prices == [("1", "1", "5000.25"), ("201", "1", "5000.5"), ("301", "1", "4990")]
    assert [(r["venue_deal"], r["f30_quantity"], r["f33_price"]) for r in now] == [
        ("201", "0.8", "5000.75")
    ]
    assert now[0]["f28_trading_time"].startswith(f"{DAY}T11:30:00")
    was, now = home.changed("execution-quality", "orders.csv")
    assert [(row["order_id"], row["outcome"]) for row in was] == [
        ("o1", "filled"), ("o2", "partially_filled"), ("o1", "filled"),
    ]  # fmt: skip
    assert [(row["order_id"], row["outcome"], row["volume_filled"]) for row in now] == [
        ("o1", "busted", "0"), ("o2", "partially_filled", "2.3"),
    ]  # fmt: skip
    report = listed[f"rts22 {DAY}"]
    before, after = (json.loads(side)["tables"]["transactions.csv"] for side in
                     (report.before, report.after))  # fmt: skip
    assert (before["changed"], after["changed"]) == (3, 1)
    assert "5000.75" in after["shown"][0]
    assert len(home.versions("order-records")) == 1, "records keep what was journalled"

    mart = listed[PROFIT]
    assert (mart.source, mart.symbol, mart.trading_day) == ("oanda", "EUIX50", THE_DAY)
    profits = home.desk.client.query(
        f"SELECT round(sum(profit_net), 2) FROM {PROFIT} WHERE symbol = 'EUIX50'"
    ).result_rows
    assert profits == [(-2.3,)]
    assert "-14.75" in mart.before


def test_a_fill_that_moves_to_another_day_leaves_the_day_it_stood_in(home: Home) -> None:
    """Also when nothing else happened on that day."""
    desk, alone = home.desk, date.fromisoformat("2026-03-05")
    later, rts22 = alone + timedelta(1), catalog.named("rts22")
    journal = desk.settings.home_path / "execution" / "acc1" / "journal"
    fill = filled(9, at(f"{alone} 10:00"), source="oanda", venue_deal=901, venue_position=90)
    store(home.server.settings, journalled(journal, fill))
    reporting.build(desk.settings, [rts22], alone, "live", "the night")
    reporting.render(desk.settings, rts22, alone, "live", "the night", "ann", desk.clock)
    deal = (901, 90, "buy", 1.0, 5000.25, -1.0, 0.0)
    for day, moved in ((alone, f"{alone} 10:00"), (later, f"{later} 09:00")):
        statement_changes.file(desk.settings, statement(day, (deal,), {901: moved}), "ann")
    table = "tickhouse_marts.rpt_rts22_transaction WHERE venue_deal = 901"
    assert desk.client.query(f"SELECT report_date FROM {table}").result_rows == [(alone,)]
    assert reports.restate(desk).problems == []
    assert desk.client.query(f"SELECT report_date FROM {table}").result_rows == []
    versions = desk.client.query(
        "SELECT version, toDate(ts_event) FROM fill_version WHERE venue_deal = 901 ORDER BY version"
    ).result_rows
    assert versions == [(0, alone), (1, later)]
