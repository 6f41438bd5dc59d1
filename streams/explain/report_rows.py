"""From a row of a report back to the signal behind it.

Every mart that a report is made of carries `signal_id` or `order_id` beside the ids that reports
show (a transaction reference, a journal hash). Which those are is read off the columns' names, so
a new report needs no line here. A row of a CSV file in a report's folder is asked for as FILE:ROW.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from clickhouse_connect.driver.client import Client

from core.errors import InputError

_COLUMNS = Path(__file__).with_name("report_columns.sql").read_text()
_ROW = re.compile(r"(?P<file>.+\.csv):(?P<row>\d+)")
#: Columns of a report's row that lead back, the surest first.
_LEADS = (
    "signal_id", "order_id", "worst_signal_id", "worst_order_id", "event_id", "event_hash",
    "trade_id", "f02_transaction_reference", "transaction_reference", "venue_deal",
)  # fmt: skip


def id_in_file(identity: str) -> str:
    """The id in row ROW (from 1, without the header) of FILE for FILE:ROW; else as it was asked.

    Raises:
        InputError: no such file or row, or nothing in it leads to a decision.
    """
    match = _ROW.fullmatch(identity)
    if match is None:
        return identity
    path, number = Path(match["file"]), int(match["row"])
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if not 1 <= number <= len(rows):
        raise InputError(str(path), f"has rows 1 to {len(rows)}, not {number}")
    ids = [rows[number - 1].get(column) or "" for column in _LEADS]
    leading = [one for one in ids if one not in ("", "0")]
    if not leading:
        raise InputError(
            str(path), f"row {number} has none of {', '.join(_LEADS)}: it was not decided here"
        )
    return leading[0]


def signals_of(client: Client, identity: str, run_id: str) -> list[str]:
    """Signals of the mart rows that show this id; empty when no mart has it.

    Raises:
        InputError: rows show it and no decision of ours stands behind them.
    """
    given = {"asked": identity, "run_id": run_id}
    signals, orders, shown = set[str](), set[str](), []
    for database, table, leads, ids, has_run in client.query(_COLUMNS).result_rows:
        rows = client.query(_query(database, table, leads, ids, has_run), given).result_rows
        shown += [f"{table}"] * bool(rows)
        for row in rows:
            named = dict(zip(leads, row, strict=True))
            signals |= {value for name, value in named.items() if name.endswith("signal_id")}
            orders |= {value for name, value in named.items() if name.endswith("order_id")}
    known = (signals - {""}) or _signals_of_orders(client, orders - {""})
    if shown and not known:
        raise InputError(
            identity, f"stands in {', '.join(sorted(set(shown)))}, on rows that no signal of ours"
            " led to (a trade by hand, a stop of the venue without our order, or another system's)"
        )  # fmt: skip
    return sorted(known)


def _query(
    database: str, table: str, leads: Sequence[str], ids: Sequence[str], has_run: bool
) -> str:
    """Names come from system.columns of our own marts, values are bound."""
    where = " OR ".join(f"`{name}` = {{asked:String}}" for name in ids)
    run = " AND (empty({run_id:String}) OR run_id = {run_id:String})" if has_run else ""
    columns = ", ".join(f"toString(`{name}`)" for name in leads)
    return f"SELECT DISTINCT {columns} FROM `{database}`.`{table}` WHERE ({where}){run}"


def _signals_of_orders(client: Client, orders: set[str]) -> set[str]:
    rows = client.query(
        "SELECT DISTINCT signal_id FROM order_event FINAL"
        " WHERE has({orders:Array(String)}, order_id) AND signal_id != ''",
        {"orders": sorted(orders)},
    ).result_rows
    return {row[0] for row in rows}
