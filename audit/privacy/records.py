"""Where somebody stands in the warehouse: rows that name a pseudonym, or an account of theirs."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from audit.retention.tables import Table, tables
from core import durable

_ACCOUNT = "account"
#: Of chained tables, rows of what somebody did; rows about somebody are about nobody afterwards.
_ACTED = {"audit_event": "actor", "control_version": "actor"}


class Standing(NamedTuple):
    """Rows of a table that are somebody's, and the day of the newest (UTC)."""

    table: str
    rows: int
    newest: date


def standing(client: Client, pseudonym: str, accounts: Sequence[str]) -> list[Standing]:
    """Every table in which somebody stands, as far as it stands in the way of an erasure."""
    return _counted(client, pseudonym, accounts, _conditions(client, accounts, acted=True))


def _counted(
    client: Client, pseudonym: str, accounts: Sequence[str], conditions: Mapping[Table, str]
) -> list[Standing]:
    listed = []
    for table, where in conditions.items():
        with errors_translated():
            newest = f"max(toDate({table.time}))" if table.time else "today()"
            [(rows, day)] = client.query(
                f"SELECT count(), {newest} FROM `{table.name}` WHERE {where}",
                parameters={"who": pseudonym, "accounts": list(accounts)},
            ).result_rows
        if rows:
            listed.append(Standing(table.name, int(rows), day))
    return listed


def write(client: Client, pseudonym: str, accounts: Sequence[str], folder: Path) -> list[Standing]:
    """Those rows as CSV, a file per table, for the person."""
    conditions = _conditions(client, accounts, acted=False)
    listed = _counted(client, pseudonym, accounts, conditions)
    by_name = {table.name: where for table, where in conditions.items()}
    for one in listed:
        with errors_translated():
            content = client.raw_query(
                f"SELECT * FROM `{one.table}` WHERE {by_name[one.table]} ORDER BY ALL",
                parameters={"who": pseudonym, "accounts": list(accounts)}, fmt="CSVWithNames",
            )  # fmt: skip
        durable.write(folder / f"{one.table}.csv", content, durable.PRIVATE)
    return listed


def _conditions(client: Client, accounts: Sequence[str], *, acted: bool) -> dict[Table, str]:
    texts = _texts(client)
    conditions = {
        table: f"`{_ACTED[table.name]}` = {{who:String}}"
        if acted and table.name in _ACTED
        else _condition(texts.get(table.name, []), accounts)
        for table in tables(client)
    }
    return {table: where for table, where in conditions.items() if where}


def _condition(columns: Sequence[tuple[str, bool]], accounts: Sequence[str]) -> str:
    """Rows that name the pseudonym in a column; of accounts by the column that is called so."""
    said = [
        f"has(`{name}`, {{who:String}})" if array else f"position(`{name}`, {{who:String}}) > 0"
        for name, array in columns
    ]
    if accounts:
        said += [
            f"`{name}` IN {{accounts:Array(String)}}"
            for name, array in columns
            if name == _ACCOUNT and not array
        ]
        said += [
            f"hasAny(`{name}`, {{accounts:Array(String)}})"
            for name, array in columns
            if name == "accounts" and array
        ]
    return f"({' OR '.join(said)})" if said else ""


def _texts(client: Client) -> dict[str, list[tuple[str, bool]]]:
    """By table: columns of text, and whether they are arrays of it."""
    with errors_translated():
        rows = client.query(
            "SELECT table, name, startsWith(type, 'Array') FROM system.columns"
            " WHERE database = {db:String} AND type IN ('String', 'LowCardinality(String)',"
            " 'Array(String)', 'Array(LowCardinality(String))')"
            " AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') ORDER BY table, position",
            parameters={"db": client.database},
        ).result_rows
    by_table = dict[str, list[tuple[str, bool]]]()
    for table, name, array in rows:
        by_table.setdefault(str(table), []).append((str(name), bool(array)))
    return by_table
