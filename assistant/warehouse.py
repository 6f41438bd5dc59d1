"""The warehouse as an assistant may use it: an analyst who reads, with limits on rows, size, time.

Who it signs in as is an analyst's user of the home, so what a statement may be is decided by the
server and not here. Values leave as JSON has them: times in ISO 8601, decimals and large integers
as text, what is no number as null.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from adapters.clickhouse import client
from core.sections import ClickhouseSettings

MOST_ROWS, MOST_CHARACTERS = 1_000, 100_000
_WITHIN_S = 60
_EXACT = 2**53  # integers beyond this lose digits in most readers of JSON
_SQL = {path.stem: path.read_text() for path in (Path(__file__).parent / "sql").glob("*.sql")}


class AssistantWarehouse:
    """One connection a question. Blocking.

    Every method raises UnavailableError or WarehouseError, as the warehouse answers.
    """

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings

    def tables(self) -> dict[str, Any]:
        """Names of tables, and what they hold."""
        return self.query(_SQL["tables"])

    def columns(self, table: str) -> dict[str, Any]:
        """Names, types and meanings of a table's columns; `table` may say its database."""
        database, _, name = table.rpartition(".")
        return self.query(_SQL["columns"], parameters={"database": database, "table": name})

    def query(
        self, sql: str, most: int = MOST_ROWS, parameters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Columns and rows of one statement; `cut`: there were more rows than are shown."""
        with client.errors_translated():
            connected = client.connect(self._settings, _WITHIN_S)
            try:
                with connected.query_row_block_stream(sql, parameters=parameters or {}) as stream:
                    source = stream.source
                    rows, cut = _head(stream, min(max(most, 1), MOST_ROWS))
            finally:
                connected.close()
        types = [kind.name for kind in source.column_types]
        columns = [
            {"name": name, "type": kind}
            for name, kind in zip(source.column_names, types, strict=True)
        ]
        return {"columns": columns, "rows": rows, "cut": cut}


def _head(blocks: Any, most: int) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    left = MOST_CHARACTERS
    for block in blocks:
        for row in block:
            values = [plain(value) for value in row]
            left -= len(str(values))
            if len(rows) == most or left < 0:
                return rows, True
            rows.append(values)
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
