"""ClickHouse's HTTP interface over the embedded engine, as a plain ASGI application.

Statements block, so they run in a bounded pool of threads. A request's body is complete before
anything runs: a client that breaks off in the middle of an INSERT has inserted nothing.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

from adapters.clickhouse.embedded import encoding, page
from adapters.clickhouse.embedded.engine import Answer, Context, Engine
from adapters.clickhouse.embedded.gate import Gate, Grant
from adapters.clickhouse.embedded.statement import output_format, split
from core.errors import WarehouseError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

# Parameters of the protocol; every other one is a setting.
_PROTOCOL = frozenset(
    {
        *("query", "database", "default_format", "query_id", "session_id", "session_timeout"),
        *("session_check", "user", "password", "quota_key", "role", "compress", "decompress"),
        *("buffer_size", "wait_end_of_query", "client_protocol_version", "stacktrace"),
    }
)
# ClickHouse's error code -> HTTP status; the rest is 500.
_STATUS = {
    36: 400,
    47: 400,
    62: 400,
    27: 400,
    53: 400,
    60: 404,
    81: 404,
    46: 404,
    159: 408,
    497: 403,
    516: 403,
}
_TEXT = "text/plain; charset=UTF-8"


class ClientGoneError(Exception):
    """The client broke off before its request was complete."""


class App:
    """ASGI application over one engine. `threads` statements run at once, others wait."""

    def __init__(self, engine: Engine, gate: Gate, threads: int = 8) -> None:
        self._engine, self._gate = engine, gate
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="statement")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        try:
            body = await _read(receive)
        except ClientGoneError:
            return
        status, headers, answer = await self._answer(scope, body)
        await _send(send, status, headers, answer, scope["method"] == "HEAD")

    def close(self) -> None:
        """Wait for running statements."""
        self._pool.shutdown(wait=True)

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        parameters = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        if page.wanted(scope["method"], scope["path"], parameters, headers):
            return page.ANSWER
        if scope["path"] in ("/ping", "/replicas_status") or (
            scope["path"] == "/" and "query" not in parameters and not body
        ):
            return 200, [("Content-Type", _TEXT)], b"Ok.\n"
        if scope["path"] not in ("", "/"):
            return (
                404,
                [("Content-Type", _TEXT)],
                b"There is /, /sql, /ping and /replicas_status.\n",
            )
        loop = asyncio.get_running_loop()
        if scope["method"] != "POST":
            parameters["readonly"] = (
                "2"  # as ClickHouse does: a link somebody clicks changes nothing
            )
        return await loop.run_in_executor(self._pool, self._run, parameters, headers, body)

    def _run(
        self, parameters: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        common = [
            ("X-ClickHouse-Query-Id", parameters.get("query_id") or str(uuid.uuid4())),
            ("X-ClickHouse-Timezone", self._engine.timezone),
            ("X-ClickHouse-Server-Display-Name", "tickhouse"),
        ]
        try:
            return self._execute(parameters, headers, body, common)
        except WarehouseError as error:
            return self._refusal(error, common)
        except ValueError as error:  # encodings; also SQL that is not UTF-8
            return self._refusal(WarehouseError(f"Code: 36. DB::Exception: {error}", 36), common)

    def _execute(
        self, parameters: dict[str, str], headers: dict[str, str], body: bytes, common: Headers
    ) -> tuple[int, Headers, bytes]:
        grant = self._gate.admit(parameters, headers)
        if headers.get("content-type", "").startswith("multipart/form-data"):
            raise ValueError("multipart forms are not served yet: send the query as the body")
        plain = encoding.decode(body, headers.get("content-encoding", ""))
        statement = split(parameters.get("query", "").encode(), plain)
        grant.check(statement.sql)
        context = _context(parameters, headers, grant)
        answer = self._engine.run(statement, context)
        body, name = answer.body, ""
        if parameters.get("enable_http_compression") in ("1", "true"):
            body, name = encoding.encode(body, headers.get("accept-encoding", ""))
        shown = output_format(statement.sql, context.default_format)
        extra = [
            ("Content-Type", "application/octet-stream"),
            ("X-ClickHouse-Format", shown),
            ("X-ClickHouse-Summary", _summary(answer)),
            *([("Content-Encoding", name)] if name else []),
        ]
        return 200, common + extra, body

    def _refusal(self, error: WarehouseError, common: Headers) -> tuple[int, Headers, bytes]:
        text = str(error)
        if "(version " not in text:
            text += f" (version {self._engine.version})"
        extra = [("Content-Type", _TEXT), ("X-ClickHouse-Exception-Code", str(error.code))]
        return _STATUS.get(error.code, 500), common + extra, (text + "\n").encode()


def _context(parameters: dict[str, str], headers: dict[str, str], grant: Grant) -> Context:
    bound = {k.removeprefix("param_"): v for k, v in parameters.items() if k.startswith("param_")}
    settings = {
        k: v for k, v in parameters.items() if k not in _PROTOCOL and not k.startswith("param_")
    }
    return Context(
        parameters.get("database") or headers.get("x-clickhouse-database", ""),
        grant.settings(settings),
        bound,
        parameters.get("default_format") or headers.get("x-clickhouse-format", "TabSeparated"),
    )


def _summary(answer: Answer) -> str:
    figures = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "result_rows": answer.result_rows,
        "elapsed_ns": int(answer.elapsed_s * 1e9),
    }
    return json.dumps({name: str(value) for name, value in figures.items()})


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(
    send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes, head: bool
) -> None:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if head else body})
