"""`/api/regimes?feed=SOURCE/SYMBOL`: in which regime a feed was after each quarter of an hour.

The page draws it as a ribbon below the candles. Nothing of it is known before its quarter has
ended, so a candle has the regime that held when it began.
"""

import asyncio
import threading
from pathlib import Path

from clickhouse_connect.driver.client import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.clickhouse import client
from core.errors import TickhouseError
from core.sections import ClickhouseSettings, RunSettings

_SQL = Path(__file__).with_name("sql").joinpath("feed_regimes.sql").read_text()


class FeedRegimes:
    """Answers with [time, regime] where it changed, oldest first; time in seconds, UTC."""

    def __init__(self, settings: ClickhouseSettings, run: RunSettings) -> None:
        self._settings, self._run, self._lock = settings, run, threading.Lock()
        self._client: Client | None = None

    async def answer(self, request: Request) -> Response:
        """400 without a feed, 503 without the warehouse."""
        source, _, symbol = request.query_params.get("feed", "").partition("/")
        if not source or not symbol:
            return JSONResponse({"error": "feed is needed: SOURCE/SYMBOL"}, 400)
        whose = {"run_id": self._run.run_id, "source": source, "symbol": symbol}
        try:
            return JSONResponse(changes(await asyncio.to_thread(self._rows, whose)))
        except TickhouseError as error:
            return JSONResponse({"error": str(error)}, 503)

    def _rows(self, whose: dict[str, str]) -> list[tuple[int, str]]:
        """One question at a time: a connection is not for two threads."""
        with self._lock, client.errors_translated():
            if self._client is None:
                self._client = client.connect(self._settings)
            rows = self._client.query(_SQL, whose).result_rows
            return [(int(at), str(regime)) for at, regime in reversed(rows)]


def changes(rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those that are another than the one before."""
    return [row for n, row in enumerate(rows) if not n or rows[n - 1][1] != row[1]]
