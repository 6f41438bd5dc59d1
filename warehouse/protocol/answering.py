"""The response to one request: which headers, and its body whole, in pieces or as an error."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from core.errors import WarehouseError
from warehouse.engine.answer import Answer
from warehouse.engine.exchange import Exchange, summary
from warehouse.protocol import encoding, page
from warehouse.protocol.block_frames import FrameEncoder
from warehouse.protocol.request import Request
from warehouse.protocol.status import http_status

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

_TEXT = "text/plain; charset=UTF-8"


class Answering:
    """One response, in whichever of its shapes.

    framed: set once it is known that the client reads ClickHouse's compressed blocks; from then
    on errors come in them too, as ClickHouse sends them and clickhouse-go expects.
    ended: its last piece is on the way: who leaves from now on has the whole answer.
    """

    def __init__(self, request: Request, send: Send, common: Headers) -> None:
        self._request, self._send, self._common = request, send, common
        self._exchange: Exchange | None = None
        self._encoding, self._begun = "", False
        self.framed = self.ended = False

    def begin(self, exchange: Exchange, encoding_name: str) -> None:
        """What is going to be answered, and in which encoding."""
        self._exchange, self._encoding = exchange, encoding_name

    def cancel(self) -> None:
        """Nobody waits for it any more: what was not begun does not begin."""
        if self._exchange is not None:
            self._exchange.cancelled = True

    async def whole(self, body: bytes, answer: Answer | None = None) -> None:
        """A complete answer."""
        self.ended = True
        headers = self._headers(answer)
        if self._request.method == "HEAD":
            body = b""
        await self._start(200, [*headers, ("Content-Length", str(len(body)))])
        await self._send({"type": "http.response.body", "body": body})

    async def page(self) -> None:
        """The SQL page."""
        status, headers, body = page.ANSWER
        await self._start(status, [*headers, ("Content-Length", str(len(body)))])
        shown = b"" if self._request.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": shown})

    async def chunk(self, body: bytes) -> None:
        """A piece of an answer whose length is not known."""
        if not self._begun:
            await self._start(200, self._headers(None))
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """After the last piece."""
        self.ended = True
        await self._send({"type": "http.response.body", "body": b""})

    async def break_off(self, error: Exception) -> None:
        """The statement failed in mid-stream. The response stays unfinished, as ClickHouse's does,
        so that a client which does not look for the exception cannot take it for complete.
        """
        self.ended = True
        if self._exchange is not None:
            await self.chunk(self._exchange.failure(error))

    async def refuse(self, error: WarehouseError, version: str) -> None:
        """An error before the answer began."""
        if self._begun:
            return
        text = str(error)
        if not text.startswith("Code:"):
            text = f"Code: {error.code}. DB::Exception: {text}"
        if "(version " not in text:
            text += f" (version {version})"
        code = ("X-ClickHouse-Exception-Code", str(error.code))
        body = (text + "\n").encode("utf-8", "replace")
        if self.framed:
            body = FrameEncoder().compress(body)
        await self._plain(http_status(error.code), body, code)

    async def text(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        """Plain text."""
        await self._plain(status, text.encode(), *headers)

    async def _plain(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        length = ("Content-Length", str(len(body)))
        await self._start(status, [*self._common, *headers, ("Content-Type", _TEXT), length])
        shown = b"" if self._request.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": shown})

    def _headers(self, answer: Answer | None) -> Headers:
        exchange = self._exchange
        if exchange is None:
            return self._common
        return [
            *self._common,
            ("Content-Type", "application/octet-stream"),
            *([("X-ClickHouse-Format", exchange.format)] if exchange.shows else []),
            ("X-ClickHouse-Summary", summary(answer or exchange.answer)),
            ("X-ClickHouse-Exception-Tag", exchange.exception_tag),
            *([("Content-Encoding", self._encoding)] if self._encoding else []),
        ]

    async def _start(self, status: int, headers: Headers) -> None:
        self._begun = True
        encoded = [
            (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})


def encoder_of(request: Request) -> tuple[str, encoding.Encoder | None]:
    """Content-Encoding and encoder of the answer: ClickHouse's blocks first, HTTP's around them."""
    frames = FrameEncoder() if request.flag("compress") else None
    if not request.flag("enable_http_compression"):
        return "", frames
    name, outer = encoding.negotiate(request.headers.get("accept-encoding", ""))
    if frames is None or outer is None:
        return name, outer or frames
    return name, encoding.Chain(frames, outer)
