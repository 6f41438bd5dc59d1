"""A query's columns by DESCRIBE, once, where dbt's adapter runs the query twice with LIMIT 0.

The engine plans such a query to its end, and computes what stands in it by itself. dbt asks for a
mart's contract and again for columns that are new, which took 7.6 of the 12.1 CPU s that a build
of marts without rows costs the warehouse; described once, it is 2.5 of 7.
"""

from typing import Any

from dbt.adapters.clickhouse.column import ClickHouseColumn
from dbt.adapters.clickhouse.httpclient import ChHttpClient

_described: dict[str, list[ClickHouseColumn]] = {}


def described(client: ChHttpClient, sql: str, **options: Any) -> list[ClickHouseColumn]:
    """Names and types of a query's columns; `options` are those of `ChHttpClient.query`.

    What a query reads is built before it and stays for the rest of the process.

    Raises:
        DbtDatabaseError: the query cannot be.
    """
    question = f"{options}{sql}"
    if question not in _described:
        answer = client.query(f"DESCRIBE TABLE ( \n{sql} \n)", **options)
        rows = answer.result_rows
        _described[question] = [ClickHouseColumn.create(name, kind) for name, kind, *_ in rows]
    return list(_described[question])


def describe() -> None:
    """Have dbt in this process describe."""
    ChHttpClient.columns_in_query = described
