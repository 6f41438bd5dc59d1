"""The made-up busy day of `tickhouse demo --busy` in a warehouse, and boards' SQL over it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import marts
from adapters.clickhouse.client import connect
from cli.busy import store
from cli.busy.day import SOURCE, SYMBOLS, Day, busy_day
from core.home_users import GRAFANA
from core.sections import ClickhouseSettings
from core.settings import Settings
from dashboards.grafana.macros import ALL, BoardSpan, expand
from features.catalog import NAMES
from orchestration import dbt_project
from tests.support.board_panels import POINTS
from tests.support.dbt_command import share_reading
from tests.support.warehouse_server import Warehouse, migrated


class BusyHome(NamedTuple):
    """A home whose warehouse runs and holds a busy day in each of the modes."""

    settings: Settings
    server: Warehouse
    days: dict[str, Day]
    grafana: Client  # as Grafana's data source signs in

    def build(self, mode: str, *options: str) -> None:
        """The marts of a mode, without tests."""
        dbt_project.run(self.settings, "run", {"mode": mode}, *options)

    def sql(self, mode: str, statement: str) -> str:
        """What Grafana would send of a board's statement, its time picker over the day."""
        day = self.days[mode]
        filled = self.server.client.command(
            f"SELECT max(order_id) FROM order_event WHERE mode = '{mode}' AND kind = 'filled'"
        )
        chosen = {
            "mode": mode,
            "marts": marts.database(self.server.client, mode),
            "source": SOURCE,
            "symbol": SYMBOLS[0],
            "account": ALL,
            "model": ALL,
            "order": str(filled),
        }
        start, end = day.start_us / 1e6, max(day.end_us / 1e6, time.time()) + 1
        return expand(statement, BoardSpan(start, end, (end - start) / POINTS), chosen)


@contextmanager
def busy_home(home: Path, modes: Sequence[str], now_us: int = 0) -> Iterator[BusyHome]:
    """Stored, its marts' tables there and empty; the day ends at `now_us`, or now."""
    server = migrated(home, NAMES)
    share_reading(home)
    try:
        marts.make(server.client)
        where = ClickhouseSettings(url=server.url, credentials=server.credentials)
        settings = Settings(home=str(home), clickhouse=where)
        now_us = now_us or int(time.time() * 1e6)
        days = {mode: busy_day(mode, now_us) for mode in modes}
        for day in days.values():
            store.store(settings, server.url, day)
        grafana = connect(server.settings_of(GRAFANA))
        yield BusyHome(settings, server, days, grafana)
        grafana.close()
    finally:
        server.stop()
