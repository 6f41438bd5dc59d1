"""ClickHouse's HTTP interface over the embedded engine, as a plain ASGI application.

This module moves bytes between a client and an Exchange, whose steps block and run in a bounded
pool of threads. A client that leaves takes its statement with it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from adapters.clickhouse.embedded import coalesce, encoding, multipart, page, request, statement
from adapters.clickhouse.embedded.admission import Admission
from adapters.clickhouse.embedded.ahead import Ahead
from adapters.clickhouse.embedded.body import Body, ClientGoneError, Receive
from adapters.clickhouse.embedded.connection import Answer, Context
from adapters.clickhouse.embedded.engine import Engine
from adapters.clickhouse.embedded.exchange import Exchange, Lease, summary
from adapters.clickhouse.embedded.gate import Gate
from adapters.clickhouse.embedded.request import Request
from adapters.clickhouse.embedded.sessions import Sessions, timeout_of
from adapters.clickhouse.embedded.statement import Statement
from adapters.clickhouse.embedded.status import TOO_MANY_QUERIES, http_status
from core.errors import WarehouseError

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

_TEXT = "text/plain; charset=UTF-8"
_LARGEST_STATEMENT = 256 << 20
_EXPIRY_S = 5.0


class App:
    """ASGI application over one engine.

    threads: statements that run at once. waiting: how many more may stand in line before
    requests are refused. stalled_s: a client that takes no byte for so long is dropped.
    streams: answers and uploads under way at once.
    """

    def __init__(
        self,
        engine: Engine,
        gate: Gate,
        threads: int = 8,
        waiting: int = 256,
        stalled_s: float = 300.0,
        streams: int = 128,
    ) -> None:
        self._engine, self._gate, self._stalled_s = engine, gate, stalled_s
        self._admission = Admission(threads, waiting)
        self._control = ThreadPoolExecutor(1, thread_name_prefix="control")
        self._sessions = Sessions(lambda: engine.connect(kept=True))
        self._coalescer = coalesce.Coalescer(self._run)
        self._running: set[str] = set()
        self._streams, self._most_streams = 0, streams
        self._expiry: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        self._keep_expiring()
        asked = request.parse(
            scope["method"], scope["path"], scope["query_string"], scope["headers"]
        )
        answering = _Answering(asked, send, self._common(asked))
        try:
            await self._serve(asked, receive, answering)
        except ClientGoneError:
            return
        except WarehouseError as error:
            await answering.refuse(error, self._engine.version)
        except TimeoutError:
            text = (
                f"Code: 209. DB::Exception: Nothing moved for {self._stalled_s} s. (SOCKET_TIMEOUT)"
            )
            await answering.refuse(WarehouseError(text, 209), self._engine.version)
        except ValueError as error:  # encodings; also SQL that is not UTF-8
            refused = WarehouseError(f"Code: 36. DB::Exception: {error}. (BAD_ARGUMENTS)", 36)
            await answering.refuse(refused, self._engine.version)

    def close(self) -> None:
        """Wait for running statements, end all sessions."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._admission.close()
        self._control.shutdown(wait=True)
        self._sessions.close()

    async def _serve(self, asked: Request, receive: Receive, answering: "_Answering") -> None:
        body = Body(receive, asked.headers.get("content-encoding", ""))
        start = await body.piece()
        if page.wanted(asked.method, asked.path, asked.parameters, asked.headers):
            await answering.page()
            return
        if asked.path in ("/ping", "/replicas_status") or (
            asked.path == "/" and "query" not in asked.parameters and not start
        ):
            await answering.text(200, "Ok.\n")
            return
        if asked.path not in ("", "/"):
            await answering.text(404, "There is /, /sql, /ping and /replicas_status.\n")
            return
        # Before more of the body is taken: a stranger gets no memory.
        grant = await self._admission.enter(
            lambda: self._gate.admit(asked.parameters, asked.headers)
        )
        with self._listed(asked):
            stated, wished = await _read(asked, body, start)
            # The one way to the engine: every path below runs what passed here, and as it passed.
            context = await self._admission.enter(lambda: grant.context(stated, wished))
            await self._run_granted(
                _Granted(asked, grant.user.name, stated, context), body, answering, receive
            )

    async def _run_granted(
        self, granted: "_Granted", body: Body, answering: "_Answering", receive: Receive
    ) -> None:
        asked, stated, context = granted.asked, granted.statement, granted.context
        if asked.flag("async_insert") and body.complete and coalesce.joinable(stated, context):
            await self._join(granted, answering)
            return
        name, encoder = "", None
        if asked.flag("enable_http_compression"):
            name, encoder = encoding.negotiate(asked.headers.get("accept-encoding", ""))
        exchange = Exchange(
            lambda: self._lease(granted),
            stated,
            context,
            encoder,
            asked.flag("wait_end_of_query"),
            asked.revision,
        )
        answering.begin(exchange, name)
        with self._watching(asked, body, receive, exchange):
            await self._exchange(body, exchange, answering)

    async def _exchange(self, body: Body, exchange: Exchange, answering: "_Answering") -> None:
        try:
            if body.complete:
                first = await self._admission.enter(exchange.start)
            else:
                with self._stream():
                    first = await self._upload(body, exchange)
            if not exchange.streaming:
                await self._give_back(exchange)
                await answering.whole(first)
                return
            with self._stream():
                await self._download(first, exchange, answering)
        finally:
            await self._give_back(exchange)

    async def _give_back(self, exchange: Exchange) -> None:
        if exchange.held:
            await self._admission.proceed(exchange.close)

    async def _upload(self, body: Body, exchange: Exchange) -> bytes:
        await self._admission.enter(exchange.open_insert)
        async with Ahead(self._admission.proceed) as ahead:
            while not body.complete:  # the engine takes one piece while the next arrives
                piece = await asyncio.wait_for(body.piece(), self._stalled_s)
                await ahead.result()
                ahead.begin(lambda data=piece: exchange.append(data))  # type: ignore[misc]
            await ahead.result()
        return await self._admission.proceed(exchange.commit)

    async def _download(self, first: bytes, exchange: Exchange, answering: "_Answering") -> None:
        chunk: bytes | None = first
        async with Ahead(self._admission.proceed) as ahead:
            while chunk is not None:  # the engine makes one chunk while the last one leaves
                ahead.begin(exchange.more)
                if chunk:
                    await asyncio.wait_for(answering.chunk(chunk), self._stalled_s)
                try:
                    chunk = await ahead.result()
                except (WarehouseError, ValueError) as error:
                    await answering.break_off(error)
                    return
        await answering.end()

    async def _join(self, granted: "_Granted", answering: "_Answering") -> None:
        stated, context = granted.statement, granted.context
        untagged = replace(context, tag="")
        answer = await self._coalescer.insert(granted.user, stated, untagged)
        answering.begin(Exchange(lambda: self._lease(granted), stated, context), "")
        await answering.whole(b"", answer)

    async def _run(self, stated: Statement, context: Context) -> Answer:
        return await self._admission.enter(lambda: self._engine.run(stated, context))

    def _lease(self, granted: "_Granted") -> Lease:
        asked = granted.asked
        session = asked.parameters.get("session_id", "")
        if not session:
            connection = self._engine.connect()
            return Lease(connection, connection.close)
        key = (granted.user, session)
        timeout = timeout_of(asked.parameters.get("session_timeout", ""))
        kept = self._sessions.acquire(key, timeout, asked.flag("session_check"))
        if granted.context.settings.get("readonly") != "1":
            return Lease(kept, lambda: self._sessions.release(key))
        # The engine cannot leave readonly=1 again, and under it a session has nothing to keep.
        alone = self._engine.connect()

        def release() -> None:
            alone.close()
            self._sessions.release(key)

        return Lease(alone, release)

    def _common(self, asked: Request) -> Headers:
        return [
            ("X-ClickHouse-Query-Id", asked.query_id),
            ("X-ClickHouse-Timezone", self._engine.timezone),
            ("X-ClickHouse-Server-Display-Name", "tickhouse"),
        ]

    @contextlib.contextmanager
    def _listed(self, asked: Request) -> Any:
        if asked.query_id in self._running:
            raise WarehouseError(
                f"Code: 216. DB::Exception: Query with id = {asked.query_id} is already running. "
                "(QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)",
                216,
            )
        self._running.add(asked.query_id)
        try:
            yield
        finally:
            self._running.discard(asked.query_id)

    @contextlib.contextmanager
    def _stream(self) -> Any:
        if self._streams >= self._most_streams:
            raise WarehouseError(
                f"Code: {TOO_MANY_QUERIES}. DB::Exception: Too many answers and uploads under "
                f"way: {self._streams}. (TOO_MANY_SIMULTANEOUS_QUERIES)",
                TOO_MANY_QUERIES,
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @contextlib.contextmanager
    def _watching(self, asked: Request, body: Body, receive: Receive, exchange: Exchange) -> Any:
        if not body.complete:  # an upload notices by itself
            yield
            return
        watch = asyncio.create_task(self._watch(asked, receive, exchange))
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self, asked: Request, receive: Receive, exchange: Exchange) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        exchange.cancelled = True
        self._control.submit(self._engine.kill, asked.tag)

    def _keep_expiring(self) -> None:
        if self._expiry is None:
            self._expire(asyncio.get_running_loop())

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._expiry = loop.call_later(_EXPIRY_S, self._expire, loop)
        self._control.submit(self._sessions.expire)


@dataclass(frozen=True, slots=True)
class _Granted:
    """A statement that passed the gate: whose it is and what it runs with."""

    asked: Request
    user: str
    statement: Statement
    context: Context


class _Answering:
    """One response, in whichever of its shapes."""

    def __init__(self, asked: Request, send: Send, common: Headers) -> None:
        self._asked, self._send, self._common = asked, send, common
        self._exchange: Exchange | None = None
        self._encoding, self._begun = "", False

    def begin(self, exchange: Exchange, encoding_name: str) -> None:
        """What is going to be answered, and in which encoding."""
        self._exchange, self._encoding = exchange, encoding_name

    async def whole(self, body: bytes, answer: Answer | None = None) -> None:
        """A complete answer."""
        headers = self._headers(answer)
        if self._asked.method == "HEAD":
            body = b""
        await self._start(200, [*headers, ("Content-Length", str(len(body)))])
        await self._send({"type": "http.response.body", "body": body})

    async def page(self) -> None:
        """The SQL page."""
        status, headers, body = page.ANSWER
        await self._start(status, [*headers, ("Content-Length", str(len(body)))])
        shown = b"" if self._asked.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": shown})

    async def chunk(self, body: bytes) -> None:
        """A piece of an answer whose length is not known."""
        if not self._begun:
            await self._start(200, self._headers(None))
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """After the last piece."""
        await self._send({"type": "http.response.body", "body": b""})

    async def break_off(self, error: Exception) -> None:
        """The statement failed in mid-stream. The response stays unfinished, as ClickHouse's does,
        so that a client which does not look for the exception cannot take it for complete.
        """
        if self._exchange is not None:
            await self.chunk(self._exchange.failure(error))

    async def refuse(self, error: WarehouseError, version: str) -> None:
        """An error before the answer began."""
        if self._begun:
            return
        text = str(error)
        if "(version " not in text:
            text += f" (version {version})"
        code = ("X-ClickHouse-Exception-Code", str(error.code))
        await self.text(http_status(error.code), text + "\n", code)

    async def text(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        """Plain text."""
        body = text.encode()
        length = ("Content-Length", str(len(body)))
        await self._start(status, [*self._common, *headers, ("Content-Type", _TEXT), length])
        shown = b"" if self._asked.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": shown})

    def _headers(self, answer: Answer | None) -> Headers:
        exchange = self._exchange
        if exchange is None:
            return self._common
        return [
            *self._common,
            ("Content-Type", "application/octet-stream"),
            ("X-ClickHouse-Format", exchange.format),
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


async def _read(asked: Request, body: Body, start: bytes) -> tuple[Statement, Context]:
    """The statement, with all of its data or the beginning of a large INSERT's."""
    tables: tuple[multipart.ExternalTable, ...] = ()
    if asked.flag("compress") or asked.flag("decompress"):
        # Its blocks carry a CityHash128, for which there is no package and Python is too slow.
        raise WarehouseError(
            "Code: 48. DB::Exception: compress=1 and decompress=1 are not served: use "
            "Accept-Encoding with enable_http_compression=1, and Content-Encoding. "
            "(NOT_IMPLEMENTED)",
            48,
        )
    if asked.boundary:
        start += await body.rest(_LARGEST_STATEMENT)
        fields, files = multipart.parse(start, asked.boundary)
        asked.take_form(fields)
        tables, start = multipart.external_tables(files, asked.parameters), b""
    query = asked.parameters.get("query", "").encode()
    apart = asked.values_apart and (not body.complete or asked.flag("async_insert"))
    stated = None
    if not body.complete:
        with contextlib.suppress(UnicodeDecodeError):  # cut in mid-letter: then it is no INSERT
            stated = statement.split(query, start, apart)
        if stated is None or not stated.input_format:
            start += await body.rest(_LARGEST_STATEMENT)
            stated = None
    if stated is None:
        stated = statement.split(query, start, apart)
    return replace(stated, sql=statement.names_query_id(stated.sql)), asked.context(tables)
