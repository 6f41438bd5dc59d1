"""Candles of before, of any span, for whoever scrolls back: asked of the warehouse page by page.

The websocket carries what is new and a few hours of minutes; everything older is looked up when
somebody wants it. The warehouse may be away: then there is nothing older for now, and the page
says so.
"""

import asyncio
import threading
from pathlib import Path

from clickhouse_connect.driver.client import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.clickhouse import client
from core.errors import TickhouseError
from core.sections import ClickhouseSettings

#: Spans that the page offers, in seconds, and the stored interval that each is made of.
SPANS = {
    1: "1s", 5: "1s", 15: "1s", 60: "1m", 300: "5m", 900: "5m", 3_600: "1h", 14_400: "1h",
    86_400: "1h",
}  # fmt: skip
_MOST = 1_500
_LATEST_S = (1 << 32) - 1
_SQL = Path(__file__).with_name("sql").joinpath("older_bars.sql").read_text()


class OlderBars:
    """Answers `/api/bars?feed=SOURCE/SYMBOL&span=SECONDS&before=UNIX_S&count=N`."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._client: Client | None = None

    async def answer(self, request: Request) -> Response:
        """Candles before a time as [time, open, high, low, close], oldest first."""
        try:
            source, _, symbol = request.query_params["feed"].partition("/")
            span, before, count = (
                int(request.query_params[name]) for name in ("span", "before", "count")
            )
            stored = SPANS[span]
        except (KeyError, ValueError):
            return JSONResponse({"error": "feed, span, before and count are needed"}, 400)
        end = min(max(before, 0), _LATEST_S)
        given = {
            "source": source, "symbol": symbol, "span": span, "stored": stored,
            "begin": max(end - span * min(max(count, 1), _MOST), 0), "end": end,
        }  # fmt: skip
        try:
            return JSONResponse(await asyncio.to_thread(self._rows, given))
        except TickhouseError as error:
            return JSONResponse({"error": str(error)}, 503)

    def _rows(self, given: dict[str, str | int]) -> list[tuple[float, ...]]:
        """One question at a time: a connection is not for two threads."""
        with self._lock, client.errors_translated():
            if self._client is None:
                self._client = client.connect(self._settings)
            return [tuple(row) for row in self._client.query(_SQL, given).result_rows]
