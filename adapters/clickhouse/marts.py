"""Marts before dbt ever ran: their tables, empty, so that boards and people can ask from the start.

The statements are those of a dbt build (`make empty-marts`), partitions and order included: dbt
goes on with these tables as with its own. Each mode has its database, as in dbt's `mode.sql`, and
all of them are made, for a board may be asked for any. What is there already is left alone.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated

DATABASE = "{marts}"  # stands in the statements for the database
FILE = Path(__file__).with_name("marts.sql")
MODES = ("live", "shadow", "demo", "replay", "backtest")
_NAME = re.compile(r"CREATE TABLE IF NOT EXISTS \{marts\}\.`?(\w+)")
_COLUMN = re.compile(r"^    `(\w+)` (.+?)(?: COMMENT '.*')?,?$", re.MULTILINE)
_EMPTY = """
SELECT c.database, c.table, groupArray((c.name, c.type))
FROM system.columns AS c
INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
WHERE c.database IN {databases:Array(String)} AND t.engine != 'View' AND t.total_rows = 0
GROUP BY c.database, c.table
"""


def database(client: Client, mode: str) -> str:
    """Of the marts of a mode."""
    return named(str(client.database), mode)


def named(database: str, mode: str) -> str:
    """Of the marts of a mode, beside a database of tables."""
    return f"{database}_marts" + ("" if mode == "live" else f"_{mode}")


def make(client: Client, modes: Sequence[str] = MODES) -> list[str]:
    """Make what is missing, in the databases of these modes; safe to repeat.

    A table without a row whose columns are of another version is made anew: nothing is lost, and
    dbt, which refuses other columns, can build it.

    Returns:
        The tables made, as `database.table`.

    Raises:
        WarehouseError, UnavailableError: ClickHouse refused, or does not answer.
    """
    with errors_translated():
        databases = [database(client, mode) for mode in modes]
        _drop_outdated(client, databases)
        there = _tables(client, databases)
        created = []
        for name in databases:
            client.command(f"CREATE DATABASE IF NOT EXISTS `{name}`", use_database=False)
            for table, statement in statements().items():
                if f"{name}.{table}" not in there:
                    client.command(statement.replace(DATABASE, f"`{name}`", 1))
                    created.append(f"{name}.{table}")
    return created


@cache
def statements() -> dict[str, str]:
    """The statement of each mart's table."""
    parts = (part.strip() for part in re.split(r";\n", FILE.read_text()))
    return {match[1]: part[match.start() :] for part in parts if (match := _NAME.search(part))}


@cache
def columns() -> dict[str, dict[str, str]]:
    """Type by column, of each mart's table."""
    return {table: dict(_COLUMN.findall(text)) for table, text in statements().items()}


def _drop_outdated(client: Client, databases: list[str]) -> None:
    rows = client.query(_EMPTY, parameters={"databases": databases}).result_rows
    for name, table, now in rows:
        if table in columns() and dict(now) != columns()[table]:
            client.command(f"DROP TABLE `{name}`.`{table}`")


def _tables(client: Client, databases: list[str]) -> set[str]:
    rows = client.query(
        "SELECT concat(database, '.', name) FROM system.tables"
        " WHERE database IN {databases:Array(String)}",
        parameters={"databases": databases},
    ).result_rows
    return {str(name) for (name,) in rows}
