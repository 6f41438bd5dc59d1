"""Marts as CSV files: read block by block, so that a million rows cost no memory.

Values become text by the column, not by the cell: most columns are text already, and a million
rows of thirty columns are thirty million cells.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        with client.query_column_block_stream(
            sql, parameters=dict(parameters), settings={"max_block_size": 20_000}
        ) as blocks:
            _put(writer, path, [blocks.source.column_names])
            for block in blocks:
                columns = [texts(column) for column in block]
                _put(writer, path, zip(*columns, strict=True))
                count += len(columns[0])
    return count


def _put(writer: Any, path: Path, rows: Iterable[Sequence[Value]]) -> None:
    """A full disk here is not a warehouse that does not answer."""
    try:
        writer.writerows(rows)
    except OSError as error:
        raise UnavailableError(f"{path}: not written ({error}); make room and repeat") from error


def columns_of(path: Path) -> list[str]:
    """The header of such a file."""
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


def rows_of(path: Path, column: str = "", value: str = "") -> Iterator[dict[str, str]]:
    """The rows of such a file, one by one; of a column given, those that hold the value."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)
        index = names.index(column) if column else -1
        for row in rows:
            if index < 0 or row[index] == value:
                yield dict(zip(names, row, strict=True))


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


def texts(column: Sequence[Value]) -> Sequence[Value]:
    """A column as every report writes it; text and whole numbers need nothing."""
    kinds = set(map(type, column))
    if kinds <= {str, int}:
        return column
    if kinds == {float}:
        return [f"{value:.10g}" for value in column]
    return [text(value) for value in column]


def text(value: Value) -> str:
    """A value as every report writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")[:26] + "Z"  # all are UTC
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)
