"""A name of before in the warehouse: replaced by a pseudonym where rows may be changed, else told.

Rows that are chained, and columns that tables are sorted by, stay as they are; so do files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.cluster import table_of

_CHAINED = ("audit_event", "order_event", "control_version")
_BLOCK = 1 << 20


class Place(NamedTuple):
    """Where a name stands: a column with rows, or a file."""

    name: str
    rows: int


def replace(client: Client, name: str, pseudonym: str) -> list[Place]:
    """Write the pseudonym where a column of a table that may be changed says the name; what was.

    Raises:
        WarehouseError: it refused; columns before that one are changed.
    """
    changed = []
    for table, column, fixed in _columns(client):
        rows = _rows(client, table, f"`{column}` = {{name:String}}", name)
        if rows and not fixed:
            with errors_translated():
                client.command(
                    f"ALTER TABLE `{table}` UPDATE `{column}` = {{to:String}}"
                    f" WHERE `{column}` = {{name:String}}",
                    parameters={"name": name, "to": pseudonym}, settings={"mutations_sync": 2},
                )  # fmt: skip
                changed.append(Place(f"{table}.{column}", rows))
    return changed


def left(client: Client, home: Path, name: str) -> list[Place]:
    """Where the name stands still, in a column or a file of the home."""
    columns = [
        Place(f"{table}.{column}", rows)
        for table, column, _ in _columns(client)
        if (rows := _rows(client, table, f"position(`{column}`, {{name:String}}) > 0", name))
    ]
    return [*columns, *(Place(str(path), 1) for path in _files(home, name.encode()))]


def _columns(client: Client) -> list[tuple[str, str, bool]]:
    """Columns of text, and whether they cannot be changed."""
    with errors_translated():
        rows = client.query(
            "SELECT c.table, c.name, c.is_in_sorting_key OR c.is_in_partition_key"
            " FROM system.columns AS c INNER JOIN system.tables AS t"
            " ON c.database = t.database AND c.table = t.name"
            " WHERE c.database = {db:String} AND t.engine LIKE '%MergeTree'"
            " AND c.type IN ('String', 'LowCardinality(String)')"
            " AND c.default_kind NOT IN ('ALIAS', 'MATERIALIZED', 'EPHEMERAL')"
            " ORDER BY c.table, c.position",
            parameters={"db": client.database},
        ).result_rows
    return [(table_of(str(t)), str(c), bool(key) or t in _CHAINED) for t, c, key in rows]


def _rows(client: Client, table: str, where: str, name: str) -> int:
    with errors_translated():
        [(rows,)] = client.query(
            f"SELECT count() FROM `{table}` WHERE {where}", parameters={"name": name}
        ).result_rows
    return int(rows)


def _files(home: Path, name: bytes) -> Iterator[Path]:
    """Files that hold the name as it is; the warehouse's own are asked in SQL."""
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home).parts[0]
        if inside not in ("warehouse", "bus") and path.is_file() and _holds(path, name):
            yield path


def _holds(path: Path, name: bytes) -> bool:
    before = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if name in before + block:
                return True
            before = block[-len(name) :]
    return False
