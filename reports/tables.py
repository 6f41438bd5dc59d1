"""Marts as CSV files: read block by block, so that a million rows cost no memory."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.errors import UnavailableError

Value = object


def write_csv(client: Client, sql: str, parameters: Mapping[str, Value], path: Path) -> int:
    """Rows of a query as CSV with a header; how many."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file, errors_translated():
        writer = csv.writer(file, lineterminator="\n")
        with client.query_row_block_stream(
            sql, parameters=dict(parameters), settings={"max_block_size": 20_000}
        ) as blocks:
            _put(writer, path, [blocks.source.column_names])
            for block in blocks:
                _put(writer, path, [[text(value) for value in row] for row in block])
                count += len(block)
    return count


def _put(writer: Any, path: Path, rows: Sequence[Sequence[str]]) -> None:
    """A full disk here is not a warehouse that does not answer."""
    try:
        writer.writerows(rows)
    except OSError as error:
        raise UnavailableError(f"{path}: not written ({error}); make room and repeat") from error


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of such a file, one by one."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def write_rows(path: Path, columns: Sequence[str], rows: Iterator[Sequence[str]]) -> int:
    """Rows that were made here."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def text(value: Value) -> str:
    """A value as every report writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)
