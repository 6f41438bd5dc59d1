"""Rows of `restatement`: what a correction still has to change, and what it changed.

Whoever corrects ticks writes one row per trading day and kind with the subject `*` and the status
`pending`; this side keeps what stood before in rows of their own, still pending, does the work,
adds what stands now, and says `done` in the row of `*` last. A kill in between repeats the work
from what was kept: what stood before is never read twice.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from adapters.clickhouse.client import errors_translated

ALL = "*"
PENDING, DONE, MARKED = "pending", "done", "marked"
_KEY = ["correction_id", "what", "subject", "trading_day", "source", "symbol"]
_NAMES = [*_KEY, "status", "ts_changed", "rows", "before", "after"]
_ORDER = ("trading_day", "what", "subject", "correction_id", "source", "symbol")
_COLUMNS = ", ".join(_NAMES).replace("ts_changed", "toUnixTimestamp64Micro(ts_changed)")


class Restatement(msgspec.Struct, frozen=True):
    """One row. `before` and `after` are JSON; `changed_us` is 0 until it was written."""

    correction_id: str
    what: str
    subject: str
    trading_day: date
    source: str
    symbol: str
    status: str = PENDING
    changed_us: int = 0
    rows: int = 0
    before: str = ""
    after: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes the row, without its state."""
        day = str(self.trading_day)
        return self.correction_id, self.what, self.subject, day, self.source, self.symbol

    def of(self, subject: str) -> "Restatement":
        """The row of one subject of this work, before anything was written of it."""
        return replace(
            self, subject=subject, status=PENDING, changed_us=0, rows=0, before="", after=""
        )


class Change(NamedTuple):
    """What became of one subject: rows concerned, and how it stood and stands, for JSON."""

    rows: int
    before: Any
    after: Any


def due(client: Client, what: str = "") -> list[Restatement]:
    """Work that is not done yet, the oldest day first; of one kind, or of all.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    where = "subject = '*' AND status = 'pending' AND (what = {what:String} OR {what:String} = '')"
    return _read(client, where, {"what": what})


def listed(client: Client) -> list[Restatement]:
    """Every row there is, by day.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    return _read(client, "1", {})


def kept(client: Client, work: Restatement) -> dict[str, Restatement]:
    """What was written of a piece of work already, by subject, that of `*` left out."""
    given = {"correction": work.correction_id, "what": work.what, "day": work.trading_day}
    where = (
        "subject != '*' AND correction_id = {correction:String} AND what = {what:String}"
        " AND trading_day = {day:Date}"
    )
    return {
        row.subject: row
        for row in _read(client, where, given)
        if (row.source, row.symbol) == (work.source, work.symbol)
    }


def write(client: Client, rows: Sequence[Restatement], now_us: int) -> None:
    """Store rows; with a clock that was set back a new state is still newer than its last."""
    if not rows:
        return
    values = [
        [*_head(row), _time(max(now_us, row.changed_us + 1)), row.rows, row.before, row.after]
        for row in rows
    ]
    with errors_translated():
        client.insert("restatement", values, column_names=_NAMES)


def text(value: object) -> str:
    """A side of a change as it is stored."""
    return msgspec.json.encode(value, order="sorted").decode()


def by_day(rows: Iterable[Restatement]) -> dict[date, list[Restatement]]:
    """The same rows by trading day, in order."""
    days: dict[date, list[Restatement]] = {}
    for row in sorted(rows, key=lambda row: row.key):
        days.setdefault(row.trading_day, []).append(row)
    return dict(sorted(days.items()))


def _read(client: Client, where: str, given: dict[str, Any]) -> list[Restatement]:
    sql = f"SELECT {_COLUMNS} FROM restatement FINAL WHERE {where} ORDER BY {', '.join(_ORDER)}"
    with errors_translated():
        answer = client.query(sql, parameters=given).result_rows
    return [Restatement(*row) for row in answer]


def _head(row: Restatement) -> list[Any]:
    return [
        row.correction_id, row.what, row.subject, row.trading_day, row.source, row.symbol,
        row.status,
    ]  # fmt: skip


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
