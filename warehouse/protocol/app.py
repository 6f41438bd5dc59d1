"""ClickHouse's HTTP interface over the embedded engine, as a plain ASGI application.

This module moves bytes between a client and an Exchange, whose steps block and run in a bounded
pool of threads. A client that leaves takes its statement with it.
"""

import asyncio
import contextlib
import traceback
from collections import Counter
from collections.abc import Collection, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from core import same_origin
from core.errors import WarehouseError
from core.exposition import Sample, expose
from warehouse.access import bounds
from warehouse.access.gate import Gate
from warehouse.access.sign_in import SignIn
from warehouse.engine import coalesce
from warehouse.engine.admission import Admission, Asker
from warehouse.engine.ahead import Ahead
from warehouse.engine.answer import Answer, Context, refusal
from warehouse.engine.engine import Chdb
from warehouse.engine.exchange import Exchange, Lease
from warehouse.engine.running import Running, killed
from warehouse.engine.sessions import Sessions, timeout_of
from warehouse.protocol import page, request, statement
from warehouse.protocol.answering import Answering, Headers, Send, encoder_of
from warehouse.protocol.block_frames import LARGEST_FRAME
from warehouse.protocol.body import Body, ClientGoneError, Receive, Room
from warehouse.protocol.reading import read
from warehouse.protocol.request import Request
from warehouse.protocol.statement import Statement

Scope = MutableMapping[str, Any]

_EXPIRY_S = 5.0


class App:
    """ASGI application over one engine.

    threads: statements that run at once. waiting: how many more of one user may stand in line
    before requests are refused. stalled_s: a client that takes no byte for so long is dropped.
    streams: answers and uploads under way at once. hosts: names it is asked by besides loopback.
    largest_statement: bytes that a statement, or one compressed block, may have when plain.
    """

    def __init__(
        self,
        engine: Chdb,
        gate: Gate,
        threads: int = 8,
        waiting: int = 256,
        stalled_s: float = 300.0,
        streams: int = 128,
        hosts: Collection[str] = (),
        largest_statement: int = LARGEST_FRAME,
    ) -> None:
        self._engine, self._sign_in, self._stalled_s = engine, SignIn(gate), stalled_s
        self._hosts, self._largest = hosts, largest_statement
        self._admission = Admission(threads, waiting)
        self._control = ThreadPoolExecutor(1, thread_name_prefix="control")
        self._sessions = Sessions(lambda: engine.connect(kept=True))
        self._coalescer = coalesce.Coalescer(self._run)
        self._running, self._room = Running(streams), Room(4 * largest_statement)
        self._expiry: asyncio.TimerHandle | None = None
        self._cancelled = Counter[str]()
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """How many statements a client left before it had the whole answer, by user."""
        for user, count in list(self._cancelled.items()):
            yield Sample("tickhouse_warehouse_cancelled_total", (user,), count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        self._keep_expiring()
        query = request.parse(
            scope["method"], scope["path"], scope["query_string"], scope["headers"]
        )
        answering = Answering(query, send, self._common(query))
        try:
            self._let_in(scope, query)
            address = (scope.get("client") or ("",))[0]
            await self._serve(query, address, receive, answering)
        except ClientGoneError:
            return
        except WarehouseError as error:
            await answering.refuse(error, self._engine.version)
        except TimeoutError:
            text = (
                f"Code: 209. DB::Exception: Nothing moved for {self._stalled_s} s. (SOCKET_TIMEOUT)"
            )
            await answering.refuse(WarehouseError(text, 209), self._engine.version)
        except ValueError as error:  # forms; also SQL that is not UTF-8
            refused = WarehouseError(f"Code: 36. DB::Exception: {error}. (BAD_ARGUMENTS)", 36)
            await answering.refuse(refused, self._engine.version)

        except Exception:
            traceback.print_exc()
            refused = WarehouseError(
                "Code: 49. DB::Exception: The server failed; its log says why. (LOGICAL_ERROR)", 49
            )
            await answering.refuse(refused, self._engine.version)

    def close(self) -> None:
        """Wait for running statements, end all sessions."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._sign_in.close()
        self._admission.close()
        self._control.shutdown(wait=True)
        self._sessions.close()

    def _let_in(self, scope: Scope, query: Request) -> None:
        why = same_origin.refusal_of(scope, self._hosts, linked="query" not in query.parameters)
        if why:
            raise refusal(497, why, "ACCESS_DENIED")

    async def _serve(
        self, query: Request, address: str, receive: Receive, answering: Answering
    ) -> None:
        if page.wanted(query.method, query.path, query.parameters, query.headers):
            await answering.page()
            return
        if query.path in ("/ping", "/replicas_status") or query.is_empty:
            await answering.text(200, "Ok.\n")
            return
        if query.path not in ("", "/"):
            await answering.text(404, "There is /, /sql, /ping and /replicas_status.\n")
            return
        # Of a stranger nothing but the header is read.
        grant = await self._sign_in.grant(query, address)
        packed, framed = query.headers.get("content-encoding", ""), query.flag("decompress")
        largest, stalled_s = bounds.patience(grant.user, self._largest, self._stalled_s)
        body = Body(receive, packed, framed, largest, stalled_s, self._room)
        answering.framed = query.flag("compress")
        with self._running.listed(query.query_id, grant.user.name, query.tag), body:
            start = await body.piece()
            if not start and body.complete and "query" not in query.parameters:
                await answering.text(200, "Ok.\n")
                return
            stated, wished = await read(query, body, start)
            victim = self._running.tag(killed(stated.sql), grant.user.name)
            if victim and query.method == "POST":
                await self._kill(victim, wished, answering)
                return
            stated = replace(stated, sql=statement.names_query_id(stated.sql))
            # The one way to the engine: every path below runs what passed here, and as it passed.
            asker = Asker(grant.user.name, bounds.only_reads(grant.user))
            context = await self._admission.enter(lambda: grant.context(stated, wished), asker)
            granted = _Granted(query, asker, stated, context)
            await self._run_granted(granted, body, answering, receive)

    async def _run_granted(
        self, granted: "_Granted", body: Body, answering: Answering, receive: Receive
    ) -> None:
        query, stated, context = granted.query, granted.statement, granted.context
        if query.flag("async_insert") and body.complete and coalesce.joinable(stated, context):
            await self._join(granted, answering)
            return
        name, encoder = encoder_of(query)
        exchange = Exchange(
            lambda: self._lease(granted),
            stated,
            context,
            encoder,
            query.flag("wait_end_of_query"),
            query.revision,
            self._engine.describe,
        )
        answering.begin(exchange, name)
        with self._watching(granted, body, receive, answering):
            await self._exchange(granted.asker, body, exchange, answering)

    async def _kill(self, tag: str, wished: Context, answering: Answering) -> None:
        """End a statement of the asking user's own, whatever the role.

        On the thread kept for such things: it must work when all others are busy.
        """
        sql = f"KILL QUERY WHERE position(query, '{tag}') > 0 ASYNC"
        context = Context(default_format=wished.default_format)
        exchange = Exchange(self._lease_alone, Statement(sql), context)
        answering.begin(exchange, "")
        await answering.whole(await asyncio.wrap_future(self._control.submit(exchange.start)))

    async def _exchange(
        self, asker: Asker, body: Body, exchange: Exchange, answering: Answering
    ) -> None:
        try:
            if body.complete:
                first = await self._admission.enter(exchange.start, asker)
            else:
                with self._running.stream(asker.name):
                    first = await self._upload(asker, body, exchange)
            if not exchange.streaming:
                await self._give_back(asker, exchange)
                await answering.whole(first)
                return
            with self._running.stream(asker.name):
                await self._download(asker, first, exchange, answering)
        finally:
            await self._give_back(asker, exchange)

    async def _give_back(self, asker: Asker, exchange: Exchange) -> None:
        if exchange.held:
            await self._admission.proceed(exchange.close, asker)

    async def _upload(self, asker: Asker, body: Body, exchange: Exchange) -> bytes:
        await self._admission.enter(exchange.open_insert, asker)
        async with Ahead(lambda step: self._admission.proceed(step, asker)) as ahead:
            while not body.complete:  # the engine takes one piece while the next arrives
                piece = await body.piece()
                await ahead.result()
                ahead.begin(lambda data=piece: exchange.append(data))  # type: ignore[misc]
            await ahead.result()
        return await self._admission.proceed(exchange.commit, asker)

    async def _download(
        self, asker: Asker, first: bytes, exchange: Exchange, answering: Answering
    ) -> None:
        chunk: bytes | None = first
        async with Ahead(lambda step: self._admission.proceed(step, asker)) as ahead:
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

    async def _join(self, granted: "_Granted", answering: Answering) -> None:
        stated, context = granted.statement, granted.context
        untagged = replace(context, tag="")
        answer = await self._coalescer.insert(granted.asker.name, stated, untagged)
        answering.begin(Exchange(lambda: self._lease(granted), stated, context), "")
        await answering.whole(b"", answer)

    async def _run(self, user: str, stated: Statement, context: Context) -> Answer:
        return await self._admission.enter(lambda: self._engine.run(stated, context), Asker(user))

    def _lease(self, granted: "_Granted") -> Lease:
        query = granted.query
        session = query.parameters.get("session_id", "")
        if not session:
            return self._lease_alone()
        key = (granted.asker.name, session)
        timeout = timeout_of(query.parameters.get("session_timeout", ""))
        kept = self._sessions.acquire(key, timeout, query.flag("session_check"))
        if granted.context.settings.get("readonly") != "1":
            return Lease(kept, lambda: self._sessions.release(key))
        # The engine cannot leave readonly=1 again, and under it a session has nothing to keep.
        alone = self._engine.connect()

        def release() -> None:
            alone.close()
            self._sessions.release(key)

        return Lease(alone, release)

    def _lease_alone(self) -> Lease:
        connection = self._engine.connect()
        return Lease(connection, connection.close)

    def _common(self, query: Request) -> Headers:
        return [
            ("X-ClickHouse-Query-Id", query.query_id),
            ("X-ClickHouse-Timezone", self._engine.timezone),
            ("X-ClickHouse-Server-Display-Name", "tickhouse"),
        ]

    @contextlib.contextmanager
    def _watching(
        self, granted: "_Granted", body: Body, receive: Receive, answering: Answering
    ) -> Any:
        if not body.complete:  # an upload notices by itself
            yield
            return
        watch = asyncio.create_task(self._watch(granted, receive, answering))
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self, granted: "_Granted", receive: Receive, answering: Answering) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not answering.ended:
            self._cancelled[granted.asker.name] += 1
        answering.cancel()
        self._control.submit(self._engine.kill, granted.query.tag)

    def _keep_expiring(self) -> None:
        if self._expiry is None:
            self._expire(asyncio.get_running_loop())

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._expiry = loop.call_later(_EXPIRY_S, self._expire, loop)
        self._control.submit(self._sessions.expire)


@dataclass(frozen=True, slots=True)
class _Granted:
    """A statement that passed the gate: whose it is and what it runs with."""

    query: Request
    asker: Asker
    statement: Statement
    context: Context
