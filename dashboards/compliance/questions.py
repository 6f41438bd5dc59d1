"""Questions to the warehouse: one at a time, for a connection is not for two threads."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client
from core.sections import ClickhouseSettings

_SQL = Path(__file__).with_name("sql")
Answer = TypeVar("Answer")


class Warehouse:
    """The warehouse as the page's process may read it. Connects when first asked."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._client: Client | None = None

    def ask(self, question: Callable[[Client], Answer]) -> Answer:
        """What a function that takes a client says.

        Raises:
            UnavailableError, WarehouseError: it is away, or refused.
        """
        with self._lock, client.errors_translated():
            if self._client is None:
                self._client = client.connect(self._settings)
            return question(self._client)

    def rows(self, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows of a file of `sql/`.

        Raises:
            UnavailableError, WarehouseError: it is away, or refused.
        """
        sql = _SQL.joinpath(f"{name}.sql").read_text()
        return self.ask(lambda one: list(one.query(sql, parameters).named_results()))
