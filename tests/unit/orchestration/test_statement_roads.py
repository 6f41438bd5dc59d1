"""A broker's statement ends equal by every road: by command, by Dagster, the day's taken again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeDeal
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from cli.main import main
from core.contracts.order import EventKind
from core.credentials import directory_of
from orchestration.defs.statement import broker_statement
from orchestration.resources import Tickhouse
from tests.support.markets import TUESDAY, order, terminal
from tests.support.orders import event, store
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
DAY, NEXT = "2024-01-09", "2024-01-10"
BUSTED = {"type": mt5.DEAL_TYPE_BUY_CANCELED, "profit": 0.0, "commission": 0.0}
HOUR_MSC = 3_600_000
LATER = {"time": (TUESDAY + HOUR_MSC) // 1000, "time_msc": TUESDAY + HOUR_MSC}
STATE = (
    "SELECT deal, argMax((position, kind, entry, symbol, ts_event, volume, price, commission, swap,"
    " profit), ts_init) FROM broker_deal WHERE statement_date = '{day}' GROUP BY ALL ORDER BY deal",
    "SELECT correction_id, deal, change, kind, volume, price, profit, before FROM broker_correction"
    " FINAL ORDER BY deal",
    "SELECT order_id, venue_deal, version, kind, side, volume, price, profit,"
    " toUnixTimestamp64Milli(ts_event) FROM fill_version"
    " ORDER BY journal_seq, version",
    "SELECT correction_id, what, trading_day, source, symbol, status FROM restatement FINAL"
    " WHERE what != 'report' OR trading_day = '2024-01-09' ORDER BY ALL",
)


class Telling:
    """A terminal whose broker tells deals of its history otherwise than they were."""

    def __init__(self, inner: SimulatedTerminal) -> None:
        self._inner = inner
        self.changes: dict[int, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def history_deals_get(self, date_from: float, date_to: float) -> tuple[TradeDeal, ...]:
        deals = self._inner.history_deals_get(date_from, date_to)
        return tuple(deal._replace(**self.changes.get(deal.ticket, {})) for deal in deals)


@contextmanager
def traded(home: Path, server: Warehouse, patch: pytest.MonkeyPatch) -> Iterator[Telling]:
    """A terminal with three fills, of which our journal has two."""
    empty_tables(server)
    home.mkdir()
    inner = terminal({"EURUSD_a": [(TUESDAY, 1.1, 1.1001), (TUESDAY + 1000, 1.1, 1.1001)]})
    inner.at(TUESDAY)
    for _ in range(3):
        inner.order_send(order("EURUSD", "buy"))
    telling = Telling(inner)
    deals = [deal for deal in inner.history_deals_get(0, 1 << 33) if deal.symbol]
    head = {"mode": "demo", "account": "simulated", "source": "a", "symbol": "EURUSD"}
    store(server.settings, [
        event(n, EventKind.FILLED, deal.time_msc * 1000, **head, seq=n, venue_deal=deal.ticket,
              volume=deal.volume, price=deal.price, commission=deal.commission)
        for n, deal in enumerate(deals[:2], 1)
    ])  # fmt: skip
    reached = Server(telling, directory_of(home))
    patch.setenv("TICKHOUSE_HOME", str(home))
    server.reached(patch)
    patch.setenv("TICKHOUSE_TERMINAL__ADDRESS", reached.address)
    try:
        yield telling
    finally:
        reached.close()


def by_command(day: str, _: dg.DagsterInstance) -> None:
    assert main(["report", "statement", "--date", day, "--by", "ann"]) == 0


def by_dagster(day: str, instance: dg.DagsterInstance) -> None:
    built = dg.materialize(
        [broker_statement], partition_key=day, instance=instance,
        resources={"tickhouse": Tickhouse()},
    )  # fmt: skip
    assert built.success


Road = Callable[[str, dg.DagsterInstance], None]


def stored_after(
    server: Warehouse, home: Path, instance: dg.DagsterInstance, roads: tuple[Road, Road],
    later: str,
) -> list[list[tuple[Any, ...]]]:  # fmt: skip
    """What is stored after a statement of the day, and one that tells two deals otherwise."""
    with pytest.MonkeyPatch.context() as patch, traded(home, server, patch) as telling:
        roads[0](DAY, instance)
        first, second, third = [
            deal.ticket for deal in telling.history_deals_get(0, 1 << 33) if deal.symbol
        ]
        telling.changes = {
            first: {"price": 1.1003, "volume": 0.08, **LATER}, second: BUSTED,
            third: {"price": 1.1002},
        }  # fmt: skip
        roads[1](later, instance)
        return [server.client.query(sql.format(day=later)).result_rows for sql in STATE]


@pytest.mark.heavy(suite="orchestration")
def test_statements_and_corrected_fills_end_equal_by_every_road(
    warehouse: Warehouse, dagster_instance: dg.DagsterInstance, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    by_both = [(by_command, by_command), (by_dagster, by_dagster), (by_command, by_dagster)]
    states = [
        stored_after(warehouse, tmp_path / str(n), dagster_instance, roads, NEXT)
        for n, roads in enumerate(by_both)
    ]
    assert states[0] == states[1] == states[2]
    _, corrected, fills, pending = states[0]
    assert [row[2:4] for row in corrected] == [
        ("correction", "buy"), ("correction", "balance"), ("correction", "buy"),
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "no fill of ours is this deal, so it corrects nothing" in said
    assert "Changes: 2 corrects a fill, 0 first told, 1 no fill." in said
    assert [row[2:7] for row in fills] == [
        (0, "first", "buy", 0.1, 1.1001), (1, "correction", "buy", 0.08, 1.1003),
        (0, "first", "buy", 0.1, 1.1001), (1, "withdrawal", "buy", 0.0, 1.1001),
    ]  # fmt: skip
    assert [row[8] - TUESDAY for row in fills] == [0, HOUR_MSC, 0, 0]
    assert [(row[1], str(row[2]), *row[3:]) for row in pending] == [
        ("mart", DAY, "a", "EURUSD", "pending"), ("report", DAY, "simulated", "", "pending"),
    ]  # fmt: skip
    again = stored_after(
        warehouse, tmp_path / "again", dagster_instance, (by_dagster, by_command), DAY
    )
    assert again[1:] == states[0][1:], "the day's own statement, taken again"
