"""One statement of somebody's, with limits on rows, size and time.

Who it signs in as is what decides what a statement may be. Values leave as JSON has them: times in
ISO 8601, decimals and large integers as text, what is no number as null.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from adapters.clickhouse import client
from core.sections import ClickhouseSettings

MOST_ROWS, MOST_CHARACTERS = 1_000, 100_000
_WITHIN_S = 60
_EXACT = 2**53  # integers beyond this lose digits in most readers of JSON


class Bounded(NamedTuple):
    """What a statement gave; `cut`: there were more rows than are here."""

    names: list[str]
    types: list[str]
    rows: list[list[Any]]
    cut: bool

    def named(self) -> list[dict[str, Any]]:
        """Its rows by column, as the driver has the values."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        columns = [
            {"name": name, "type": kind} for name, kind in zip(self.names, self.types, strict=True)
        ]
        rows = [[plain(value) for value in row] for row in self.rows]
        return {"columns": columns, "rows": rows, "cut": self.cut}


def ask(
    settings: ClickhouseSettings, sql: str, most: int | None = MOST_ROWS,
    parameters: dict[str, Any] | None = None,
) -> Bounded:  # fmt: skip
    """Ask it by a connection of its own. Blocking.

    Args:
        most: rows, at most 1,000; None: no bound, of a statement of ours.

    Raises:
        UnavailableError, WarehouseError: as the warehouse answers.
    """
    with client.errors_translated():
        connected = client.connect(settings, _WITHIN_S)
        try:
            with connected.query_row_block_stream(sql, parameters=parameters or {}) as stream:
                source = stream.source
                rows, cut = _head(stream, most)
        finally:
            connected.close()
    types = [kind.name for kind in source.column_types]
    return Bounded(list(source.column_names), types, rows, cut)


def _head(blocks: Any, most: int | None) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    if most is None:
        return [list(row) for block in blocks for row in block], False
    most, left = min(max(most, 1), MOST_ROWS), MOST_CHARACTERS
    for block in blocks:
        for row in block:
            left -= len(str([plain(value) for value in row]))
            if len(rows) == most or left < 0:
                return rows, True
            rows.append(list(row))
    return rows, False


def plain(value: Any) -> Any:
    """A value of the warehouse as JSON has it."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _EXACT else str(value)
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case Sequence():
            return [plain(one) for one in value]
    return str(value)
