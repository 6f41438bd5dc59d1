"""Days of the warehouse's tables: counted, summed, written as Parquet and read back."""

from collections.abc import Iterator
from datetime import date

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.retention import STORED
from audit.records.contents import Part
from audit.retention.tables import Table

_WITHOUT_END = {"max_execution_time": 0}


def columns_of(client: Client, table: str) -> tuple[str, ...]:
    """The columns that an export holds: all but when retention says a row was stored."""
    with errors_translated():
        rows = client.query(
            "SELECT name FROM system.columns WHERE database = {db:String} AND table = {t:String}"
            " AND default_kind NOT IN ('ALIAS', 'MATERIALIZED', 'EPHEMERAL') ORDER BY position",
            parameters={"db": client.database, "t": table},
        ).result_rows
    return tuple(str(name) for (name,) in rows if name != STORED)


def days(
    client: Client, table: Table, columns: tuple[str, ...],
    since: date | None = None, through: date | None = None,
) -> Iterator[Part]:  # fmt: skip
    """Rows and checksum of each day, both ends included; replays and backtests are left out."""
    with errors_translated():
        rows = client.query(
            f"SELECT toDate({table.time}) AS day, count(),"
            f" toString(sum(sipHash64({_list(columns)})))"
            f" FROM {_final(client, table)} WHERE {_between(table, since, through)}"
            " GROUP BY day ORDER BY day",
            settings=_WITHOUT_END,
        ).result_rows
    return (Part(table.name, day, int(count), str(total)) for day, count, total in rows)


def parquet(client: Client, table: Table, columns: tuple[str, ...], day: date) -> bytes:
    """A day's rows."""
    with errors_translated():
        return client.raw_query(
            f"SELECT {_list(columns)} FROM {_final(client, table)}"
            f" WHERE {_between(table, day, day)} ORDER BY ALL",
            fmt="Parquet", settings=_WITHOUT_END,
        )  # fmt: skip


def insert(client: Client, table: str, columns: tuple[str, ...], content: bytes) -> None:
    """Rows of a Parquet file. Two days may hold the same rows to the letter, and both count."""
    with errors_translated():
        client.raw_insert(
            f"`{table}`", list(columns), content, fmt="Parquet",
            settings={"insert_deduplicate": 0},
        )  # fmt: skip


def _list(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _final(client: Client, table: Table) -> str:
    """As queries see it: what a later row replaces is not exported."""
    engine = client.command(
        "SELECT engine FROM system.tables WHERE database = {db:String} AND name = {name:String}",
        parameters={"db": client.database, "name": table.name},
    )
    return f"`{table.name}` FINAL" if "Replacing" in str(engine) else f"`{table.name}`"


def _between(table: Table, since: date | None, through: date | None) -> str:
    ends = ((">=", since), ("<=", through))
    parts = [f"toDate({table.time}) {sign} toDate('{day}')" for sign, day in ends if day]
    if table.has_mode:
        parts.append("mode NOT IN ('replay', 'backtest')")
    return " AND ".join(parts) or "true"
