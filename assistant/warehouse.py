"""The warehouse as an assistant may use it: an analyst who reads, with limits on rows, size, time.

Who it signs in as is an analyst's user of the home, so what a statement may be is decided by the
server and not here.
"""

from pathlib import Path
from typing import Any

from adapters.clickhouse import bounded
from adapters.clickhouse.bounded import MOST_ROWS, Bounded
from core.sections import ClickhouseSettings

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

    def reports(self) -> dict[str, Any]:
        """Which reports were made, of which day, by whom, in how many versions."""
        return self.query(_SQL["reports"])

    def candles(self, symbol: str, source: str, span: str, most: int) -> Bounded:
        """The newest candles of a symbol, newest first."""
        about = {"symbol": symbol, "source": source, "stored": span, "most": most}
        return bounded.ask(self._settings, _SQL["candles"], most, about)

    def query(
        self, sql: str, most: int = MOST_ROWS, parameters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Columns and rows of one statement; `cut`: there were more rows than are shown."""
        return bounded.ask(self._settings, sql, most, parameters).plain()
