"""`/trace?order=ID`: one order from tick to fill, as a waterfall.

Drawn here and sent whole, without a script: it is looked at once, often long after the fact, and
what it shows does not change any more. Times are those that events carry, so a span of the
broker's clock may end before it began; it is drawn where it ends, and its figure is not mended.
"""

import asyncio
import threading
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.clickhouse import client
from core.errors import TickhouseError
from core.sections import ClickhouseSettings

_SQL = Path(__file__).with_name("sql").joinpath("trace.sql").read_text()
_LONGEST = 64  # characters of an order's name
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Trace of {order}</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1d2321;background:#fbfaf7}}code{{background:#ecebe5;padding:.1em .3em;border-radius:3px}}
table{{width:100%;border-collapse:collapse}}th,td{{padding:.3rem .5rem;text-align:left;
border-bottom:1px solid #d8d6cd}}td.number{{text-align:right;font-variant-numeric:tabular-nums}}
td.way{{width:42%}}td.way div{{height:.9rem;min-width:3px;background:#2f6f8f;border-radius:2px}}
tr.order td.way div{{background:#8a8f8c}}@media(prefers-color-scheme:dark){{body{{color:#dfe3e0;
background:#161b19}}code{{background:#262d2a}}th,td{{border-color:#333b37}}
td.way div{{background:#6fb1d1}}}}</style><body>{body}</body></html>"""


class TracePage:
    """Answers `/trace?order=ID`."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._client: Client | None = None

    async def answer(self, request: Request) -> Response:
        """The waterfall; 404 for an order that the warehouse does not have, 503 without it."""
        order = request.query_params.get("order", "")
        if not 0 < len(order) <= _LONGEST:
            return _page(order[:_LONGEST], "<p>Name an order: /trace?order=ID</p>", 400)
        try:
            spans = await asyncio.to_thread(self._spans, order)
        except TickhouseError as error:
            return _page(order, f"<p>{escape(str(error))}</p>", 503)
        if not spans:
            return _page(order, "<p>No such order, or not stored yet: try again soon.</p>", 404)
        return _page(order, waterfall(order, spans), 200)

    def _spans(self, order: str) -> list[dict[str, Any]]:
        """One question at a time: a connection is not for two threads."""
        with self._lock, client.errors_translated():
            if self._client is None:
                self._client = client.connect(self._settings)
            return list(self._client.query(_SQL, {"orders": [order]}).named_results())


def waterfall(order: str, spans: list[dict[str, Any]]) -> str:
    """The page's body; the first span is the whole order's."""
    whole = spans[0]
    begun = datetime.fromtimestamp(whole["start_us"] / 1e6, UTC)
    rows = "".join(_row(span, whole["start_us"], max(whole["duration_us"], 1)) for span in spans)
    return (
        f"<h1>{escape(whole['detail'])}</h1>"
        f"<p>{begun:%Y-%m-%d %H:%M:%S.%f} UTC, {escape(whole['mode'])} {escape(whole['account'])};"
        f" order <code>{escape(order)}</code>, trace <code>{whole['trace_id']}</code></p>"
        "<table><thead><tr><th>span<th>from, ms<th>took, ms<th>on the way<th>what</thead>"
        f"<tbody>{rows}</tbody></table>"
        "<p>Times are those that events carry; <b>broker</b> and <b>fill</b> hold the broker's"
        " clock against ours. Risk and journal are measured by stage, not by order.</p>"
    )


def _row(span: dict[str, Any], begin_us: int, whole_us: int) -> str:
    """One span; what ends before it begins has a bar at its end."""
    from_us = min(span["start_us"], span["start_us"] + span["duration_us"]) - begin_us
    left, width = (
        min(max(100 * us / whole_us, 0.0), 100.0) for us in (from_us, abs(span["duration_us"]))
    )
    return (
        f'<tr class="{span["span"]}"><td>{span["span"]}'
        f'<td class="number">{(span["start_us"] - begin_us) / 1000:.3f}'
        f'<td class="number">{span["duration_us"] / 1000:.3f}'
        f'<td class="way"><div style="margin-left:{left:.2f}%;width:{min(width, 100 - left):.2f}%">'
        f"</div><td>{escape(span['detail'])}</tr>"
    )


def _page(order: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(order=escape(order), body=body), status)
