"""Slow, half-open and many connections: they end, and nobody else is kept waiting."""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from warehouse.protocol import connections
from warehouse.protocol.connections import Connection

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
UPLOAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


async def refuse(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """Answers from the head alone, as the warehouse refuses strangers."""
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"no\n"})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """uvicorn on a free port with our connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(refuse, http=Connection, ws="none", lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server ends the connection; it must within the test's own limit."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(65536):
            got += piece
    return got


async def open_and_send(
    port: int, data: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD[:-2], b"\r\n\r\n"])
def test_a_connection_that_asks_for_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async def run() -> bytes:
        async with serving() as port:
            reader, writer = await open_and_send(port, sent)
            answer = await until_closed(reader)
            writer.close()
            return answer

    assert asyncio.run(run())[:12] in (b"", b"HTTP/1.1 400")  # h11 takes no empty lines


def test_a_refused_upload_that_trickles_on_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async def run() -> bytes:
        async with serving() as port:
            reader, writer = await open_and_send(port, UPLOAD)
            answer = await reader.readuntil(b"no\n")
            closed = asyncio.create_task(until_closed(reader))
            with contextlib.suppress(ConnectionError):
                while not closed.done():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.close()
            return answer

    assert b"403" in asyncio.run(run())


def test_a_connection_in_use_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async def run() -> int:
        answers = 0
        async with serving() as port:
            reader, writer = await open_and_send(port, HEAD)
            for _ in range(5):
                await reader.readuntil(b"no\n")
                answers += 1
                await asyncio.sleep(0.1)  # between requests, longer in sum than a head may take
                writer.write(HEAD)
            await reader.readuntil(b"no\n")
            writer.close()
        return answers

    assert asyncio.run(run()) == 5


def test_a_head_without_end_is_refused() -> None:
    async def run() -> bytes:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                writer.write(HEAD[:-2])
                for _ in range(3 * connections.LARGEST_HEAD >> 16):
                    writer.write(b"x: " + b"y" * 65_531 + b"\r\n")
                    await writer.drain()
            answer = await until_closed(reader)
            writer.close()
            return answer

    # Nothing: reset before the answer was read. 400: h11, which bounds it by itself.
    assert asyncio.run(run())[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")


def test_beyond_the_most_connections_the_one_idle_longest_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MOST", 3)

    async def run() -> list[bytes]:
        async with serving() as port:
            held = []
            for _ in range(4):
                reader, writer = await open_and_send(port, HEAD)
                await reader.readuntil(b"no\n")
                held.append((reader, writer))
            gone = [await until_closed(held[0][0])]
            for reader, writer in held[1:]:
                writer.write(HEAD)
                gone.append(await reader.readuntil(b"no\n"))
            for _, writer in held:
                writer.close()
            return gone

    first, *others = asyncio.run(run())
    assert first == b""
    assert all(b"403" in answer for answer in others)


def test_many_half_open_connections_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 100)

    def ask(port: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/")
        status = connection.getresponse().status
        connection.close()
        return status

    async def run() -> int:
        async with serving() as port:
            ends = [(await open_and_send(port, b"GET"))[1] for _ in range(400)]
            status = await asyncio.to_thread(ask, port)
            for end in ends:
                end.close()
            return status

    assert asyncio.run(run()) == 403
