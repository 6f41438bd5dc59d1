"""What follows from a correction, on a real warehouse with marts that dbt built."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import migrate
from core import audit_log
from core.clock import ManualClock
from core.settings import Settings
from features.catalog import NAMES
from orchestration.restatement import marts, rows
from orchestration.restatement.work import Desk
from tests.support.corrections import correct, steady_ticks, store_ticks
from tests.support.orders import at
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

DAY = "2026-03-03"
NOON = at(f"{DAY} 12:00") // 1000
QUICK = ("--select", "+fct_data_quality_daily", "--exclude-resource-type", "unit_test")
QUALITY = "tickhouse_marts.fct_data_quality_daily"


class Home(NamedTuple):
    """A home whose marts of one day are built."""

    desk: Desk
    client: Client

    def quality(self) -> list[tuple[object, ...]]:
        return list(
            self.client.query(
                "SELECT ticks, round(spread_max, 6) FROM tickhouse_marts.fct_data_quality_daily"
                " ORDER BY trading_day, source"
            ).result_rows
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    server = Warehouse(folder)
    server.start()
    try:
        migrate.apply(server.client, NAMES)
        store_ticks(server.settings, steady_ticks(f"{DAY} 11:00", 7200))
        store_ticks(server.settings, steady_ticks(f"{DAY} 11:00", 3600), source="fxcm")
        settings = Settings(home=str(folder), clickhouse=server.settings_of("commands"))
        desk = Desk(settings, server.client, ManualClock(at("2026-03-09 10:00")), "ann")
        marts.build(desk, {"mode": "live"}, *QUICK)
        yield Home(desk, server.client)
    finally:
        server.stop()


def test_a_corrected_price_rebuilds_its_day_though_the_rows_are_as_many(home: Home) -> None:
    assert home.quality() == [(3600, 0.0001), (7200, 0.0001)]
    correct(home.client, NOON, 1.17, 1.175, "2026-03-09 09:00")
    closed = marts.restate(home.desk, *QUICK)
    assert home.quality() == [(3600, 0.0001), (7200, 0.005)]
    assert [(one.correction_id, one.status) for one in closed] == [("c1", "done")]
    (part,) = [row for row in rows.listed(home.client) if row.subject == QUALITY]
    before, after = msgspec.json.decode(part.before), msgspec.json.decode(part.after)
    assert (part.rows, before["rows"], after["rows"]) == (1, 1, 1)
    assert '"ticks":7200' in before["shown"][0]
    assert '"ticks":7200' in after["shown"][0]
    assert not rows.due(home.client, "mart")
    events = list(audit_log.read(audit_log.path_in(home.desk.settings.home_path)))
    assert [(event.action, event.subject) for event in events] == [("restate", DAY)]


def test_what_nobody_listed_is_rebuilt_by_the_nightly_build_all_the_same(home: Home) -> None:
    """Of the rows alone: a correction whose list of what follows was never written."""
    correct(home.client, NOON + 1000, 1.17, 1.18, "2026-03-09 09:30", "c2", what=())
    marts.build(home.desk, {"mode": "live"}, *QUICK)
    assert home.quality() == [(3600, 0.0001), (7200, 0.01)]
