"""Client money of a day by the real engine: what agrees, what differs and since when."""

from datetime import date

import pytest

from adapters.clickhouse import migrate
from reports import client_money
from reports.client_money import MoneyRow
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process
EVENTS = (
    # seq, kind, purpose, day and time, venue_deal, commission, swap, profit
    "(1, 'booked', 'opening', '2026-03-01 10:00:00', 7, 0, 0, 1000)",
    "(2, 'filled', 'entry', '2026-03-01 09:00:00', 6, -5, 0, 0)",  # in the opening balance already
    "(3, 'filled', 'entry', '2026-03-02 10:00:00', 8, -1, 0, 0)",
    "(4, 'booked', 'deposit', '2026-03-02 11:00:00', 9, 0, 0, 500)",
    "(5, 'booked', 'credit', '2026-03-02 11:30:00', 10, 0, 0, 50)",
    "(6, 'closed', 'stop', '2026-03-02 12:00:00', 11, -1, -0.5, 20)",
    "(7, 'filled', 'entry', '2026-03-04 12:00:00', 12, -100, 0, 0)",  # after the day
)
CLIENT = "p-0123456789ab"


@pytest.fixture
def stored(warehouse: Warehouse) -> Warehouse:
    migrate.apply(warehouse.client, [])
    empty_tables(warehouse)
    warehouse.client.command(
        "INSERT INTO order_event (seq, kind, purpose, ts_event, venue_deal, commission, swap,"
        f" profit, mode, account, run_id) SELECT *, 'live', 'a', 'live' FROM values({_TYPES},"
        f" {', '.join(EVENTS)})"
    )
    warehouse.client.command(
        "INSERT INTO position (run_id, mode, account, source, symbol, ts_event, seq, volume, price)"
        " VALUES ('live', 'live', 'a', 'b', 'EURUSD', '2026-03-02 10:00:00', 3, 0.1, 1.1)"
    )
    warehouse.client.command(
        "INSERT INTO tick (source, symbol, ts_event, bid, ask) VALUES"
        " ('b', 'EURUSD', '2026-03-02 23:59:59', 1.101, 1.1011),"
        " ('b', 'EURUSD', '2026-03-03 00:06:00', 1.2, 1.2001)"
    )
    return warehouse


_TYPES = (
    "'seq UInt64, kind String, purpose String, ts_event DateTime64(6), venue_deal UInt64,"
    " commission Float64, swap Float64, profit Float64'"
)


def statement(warehouse: Warehouse, day: str, balance: float, taken: str = "00:05:00") -> None:
    after = f"toDateTime64('{day} {taken}', 6, 'UTC') + toIntervalDay(1)"
    warehouse.client.command(
        "INSERT INTO broker_account (statement_date, ts_init, mode, account, ts_event, currency,"
        f" balance, equity) SELECT '{day}', {after}, 'live', 'a', {after}, 'USD', {balance},"
        f" {balance} + 10"
    )


def compared(warehouse: Warehouse, day: str) -> dict[str, MoneyRow]:
    rows = client_money.take(
        warehouse.client, "live", date.fromisoformat(day), {"a": CLIENT}, 1_772_500_000_000_000
    )
    return {row.item: row for row in rows}


def test_every_day_has_its_rows_and_a_difference_its_age(stored: Warehouse) -> None:
    statement(stored, "2026-03-02", 1000.0, "00:01:00")
    statement(stored, "2026-03-02", 1517.5)  # the last one counts
    rows = compared(stored, "2026-03-02")
    assert {name: row.status for name, row in rows.items()} == dict.fromkeys(
        ("balance", "open profit", "equity"), "matched"
    )
    assert rows["balance"].ours == 1000 - 1 + 500 + 20 - 1 - 0.5
    assert rows["open profit"].ours == pytest.approx(10.0)
    assert {row.client for row in rows.values()} == {CLIENT}
    statement(stored, "2026-03-03", 1510.0)
    first = compared(stored, "2026-03-03")["balance"]
    assert (first.status, first.difference, first.owner) == ("differs", 7.5, "operations")
    assert (first.since, first.age_days) == (date(2026, 3, 3), 0)
    statement(stored, "2026-03-04", 1410.0)
    again = compared(stored, "2026-03-04")["balance"]
    assert (again.difference, again.since, again.age_days) == (7.5, date(2026, 3, 3), 1)
    silent = compared(stored, "2026-03-05")
    assert list(silent) == ["statement"]
    assert silent["statement"].status == "no statement of the broker"
    assert silent["statement"].severity == "error"
    standing = stored.client.query("SELECT account, item, age_days FROM client_money_break")
    assert standing.result_rows == [("a", "statement", 0)]
    compared(stored, "2026-03-05")  # again: replaced, not doubled
    count = "SELECT count() FROM client_money FINAL WHERE report_date = '2026-03-02'"
    assert stored.client.command(count) == 3


def test_a_day_before_an_account_began_has_no_row(stored: Warehouse) -> None:
    assert compared(stored, "2026-02-28") == {}
