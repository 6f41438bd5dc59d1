"""Rows of the warehouse's tables as retention counts and destroys them.

A row's age counts from when it was made; what a replay or a backtest made is no record of trading
and is never due. A table that does not tell worlds apart counts from when the row was stored, too,
where retention has a column for that.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.cluster import table_of
from adapters.clickhouse.retention import STORED
from audit.retention.holds import Hold

# Which column says when a row was made: the first that a table has.
_TIMES = (
    "ts_init", "ts_recv", "ts_known", "ts_event", "ts_open", "ts_start", "ts_claimed",
    "ts_changed", "statement_date", "valid_from",
)  # fmt: skip
_TTL_DAYS = re.compile(rf"{STORED} \+ toIntervalDay\((\d+)\)")


class Table(NamedTuple):
    """A table of the warehouse. `time` is "" when nothing tells how old its rows are."""

    name: str
    time: str
    has_mode: bool
    has_stored: bool
    ttl_days: int  # 0: none of ours


class Rows(NamedTuple):
    """How many rows there are, since when, and how many of them are due and held."""

    total: int
    oldest: date | None
    due: int
    held: int


def tables(client: Client) -> list[Table]:
    """Every table that keeps rows, by name."""
    with errors_translated():
        rows = client.query(
            "SELECT t.name, groupArray(c.name), any(t.create_table_query) FROM system.tables AS t"
            " INNER JOIN system.columns AS c ON t.database = c.database AND t.name = c.table"
            " WHERE t.database = {db:String} AND t.engine LIKE '%MergeTree'"
            " GROUP BY t.name ORDER BY t.name",
            parameters={"db": client.database},
        ).result_rows
    return [
        _table(table_of(str(name)), set(columns), str(create)) for name, columns, create in rows
    ]


def count(client: Client, table: Table, cutoff: date | None, holds: Sequence[Hold]) -> Rows:
    """How many of its rows are due: made before a day. None: nothing is ever."""
    oldest = f"toDate(min({table.time}))" if table.time else "toDate(0)"
    due = due_rows(table, cutoff) if table.time and cutoff else "false"
    over = held_rows(table, holds)
    with errors_translated():
        [(rows, first, many, held)] = client.query(
            f"SELECT count(), {oldest}, countIf({due}), countIf({due} AND {over})"
            f" FROM `{table.name}`"
        ).result_rows
    return Rows(int(rows), first if rows and table.time else None, int(many), int(held))


def destroy(client: Client, table: Table, cutoff: date, holds: Sequence[Hold]) -> None:
    """Rewrite its parts without what is due and not held; the old ones go within minutes.

    Raises:
        WarehouseError: it refused; what was not rewritten is as it was.
    """
    what = f"{due_rows(table, cutoff)} AND NOT {held_rows(table, holds)}"
    with errors_translated():
        client.command(
            f"ALTER TABLE `{table.name}` DELETE WHERE {what}", settings={"mutations_sync": 2}
        )


def due_rows(table: Table, cutoff: date) -> str:
    """Condition of rows that count from before a day (UTC)."""
    parts = [f"toDate({table.time}) < toDate('{cutoff}')"]
    if table.has_mode:
        parts.append("mode NOT IN ('replay', 'backtest')")
    elif table.has_stored:  # made in market time, perhaps, and stored long after
        parts.append(f"toDate({STORED}) < toDate('{cutoff}')")
    return f"({' AND '.join(parts)})"


def held_rows(table: Table, holds: Sequence[Hold]) -> str:
    """Condition of rows under one of the holds; one without days holds everything."""
    return f"({' OR '.join(_between(table.time, hold) for hold in holds) or 'false'})"


def _between(time: str, hold: Hold) -> str:
    ends = ((">=", hold.start), ("<=", hold.end))
    parts = [f"toDate({time}) {sign} toDate('{day}')" for sign, day in ends if day and time]
    return f"({' AND '.join(parts) or 'true'})"


def _table(name: str, columns: set[str], create: str) -> Table:
    ttl = _TTL_DAYS.search(create)
    return Table(
        name, next((time for time in _TIMES if time in columns), ""), "mode" in columns,
        STORED in columns, int(ttl[1]) if ttl else 0,
    )  # fmt: skip
