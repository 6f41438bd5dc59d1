"""Rows of a message's table, read back as the messages they were made from."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.rows import column_name

S = TypeVar("S", bound=msgspec.Struct)


def structs(
    client: Client, kind: type[S], table: str, where: str, given: Mapping[str, Any]
) -> list[S]:
    """All of them; `where` is a condition with parameters, and may go on with an order."""
    fields = msgspec.structs.fields(kind)
    columns = ", ".join(
        f"toUnixTimestamp64Micro({column_name(f)})" if f.name.endswith("_us") else f"`{f.name}`"
        for f in fields
    )
    rows = client.query(f"SELECT {columns} FROM {table} FINAL WHERE {where}", dict(given))
    return [kind(*map(_typed, fields, row)) for row in rows.result_rows]


def _typed(field: msgspec.structs.FieldInfo, value: Any) -> Any:
    return field.type(value) if isinstance(field.type, type) else value
