"""Where somebody stands in the warehouse: rows that name a pseudonym, or an account of theirs."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from audit.retention.tables import Table, tables
from core import durable

_ACCOUNT = "account"
#: Events about somebody's own data: without the vault they are about nobody.
_ABOUT = ("identity ", "privacy ")


class Standing(NamedTuple):
    """Rows of a table that are somebody's, and the day of the newest (UTC)."""

    table: str
    rows: int
    newest: date


def standing(client: Client, pseudonym: str, accounts: Sequence[str]) -> list[Standing]:
    """Every table in which somebody stands; requests about their data do not count."""
    listed = []
    for table, where in _conditions(client, pseudonym, accounts):
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
    listed = standing(client, pseudonym, accounts)
    conditions = {table.name: where for table, where in _conditions(client, pseudonym, accounts)}
    for one in listed:
        with errors_translated():
            content = client.raw_query(
                f"SELECT * FROM `{one.table}` WHERE {conditions[one.table]} ORDER BY ALL",
                parameters={"who": pseudonym, "accounts": list(accounts)}, fmt="CSVWithNames",
            )  # fmt: skip
        durable.write(folder / f"{one.table}.csv", content, durable.PRIVATE)
    return listed


def _conditions(client: Client, pseudonym: str, accounts: Sequence[str]) -> list[tuple[Table, str]]:
    texts = _texts(client)
    return [
        (table, condition)
        for table in tables(client)
        if (condition := _condition(table.name, texts.get(table.name, []), accounts))
    ]


def _condition(table: str, columns: Sequence[tuple[str, bool]], accounts: Sequence[str]) -> str:
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
    if not said:
        return ""
    joined = f"({' OR '.join(said)})"
    if table == "audit_event":
        about = " OR ".join(f"startsWith(action, '{word}')" for word in _ABOUT)
        return f"{joined} AND NOT ({about})"
    return joined


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
