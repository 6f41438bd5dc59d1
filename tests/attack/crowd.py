"""Five thousand connections that want nothing good, while somebody with a right to it is answered.

Half-open ones, heads and bodies that trickle, wrong passwords, bombs, answers nobody takes: all are
opened as fast as the server takes them and held as long as it holds them.
"""

import asyncio
import base64
import contextlib
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.attack.world import World

#: Most that this process holds at once: more than the server does.
_AT_ONCE = 2000
_PATIENCE_S = 60.0
_BOMB = zlib.compress(bytes(64 << 20), 9, 31)
_HEAD = "POST /?{} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}Content-Length: {}\r\n\r\n"

Writer = asyncio.StreamWriter
Reader = asyncio.StreamReader


@dataclass
class Crowd:
    """Attacks by connections. opened, answered: how many were, of the attackers and of the right
    client; `slowest_s` is the longest the right client waited.
    """

    world: World
    held_s: float = 20.0  # how long an attacker stays
    opened: int = 0
    answered: int = 0
    slowest_s: float = 0.0
    failed: list[str] = field(default_factory=list)

    def run(self, count: int) -> None:
        """Open so many, some at once."""
        asyncio.run(self._run(count))

    async def _run(self, count: int) -> None:
        places, over = asyncio.Semaphore(_AT_ONCE), asyncio.Event()
        right = [asyncio.create_task(self._right_client(head, over)) for head in self._rights()]

        async def one(number: int) -> None:
            async with places:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                    await self._one(_KINDS[number % len(_KINDS)])

        await asyncio.gather(*(one(number) for number in range(count)))
        over.set()
        await asyncio.gather(*right)

    async def _one(self, kind: Callable[[Reader, Writer], Awaitable[None]]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.world.server.port)
        self.opened += 1
        try:
            await asyncio.wait_for(kind(reader, writer), self.held_s)
        finally:
            writer.transport.abort()

    def _rights(self) -> list[bytes]:
        """Whoever has a credential: the owner, and the live page's process, which only reads."""
        known = (self.world.server.settings_of(name) for name in ("owner", "board"))
        signed = (
            f"X-ClickHouse-User: {w.user}\r\nX-ClickHouse-Key: {w.password}\r\n" for w in known
        )
        ask = "Connection: close\r\n"
        return [_HEAD.format("query=SELECT+41%2B1", one + ask, 0).encode() for one in signed]

    async def _right_client(self, head: bytes, over: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        while not over.is_set():
            began = clock()
            try:
                answer = await asyncio.wait_for(self._ask(head), _PATIENCE_S)
                if not answer.endswith(b"42\n"):
                    self.failed.append(f"a right client was told {answer[:200]!r}")
            except (OSError, TimeoutError) as error:
                self.failed.append(f"a right client was not answered: {error!r}")
            self.answered += 1
            self.slowest_s = max(self.slowest_s, clock() - began)
            await asyncio.sleep(0.05)

    async def _ask(self, head: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.world.server.port)
        try:
            writer.write(head)
            return await reader.read(-1)
        finally:
            writer.transport.abort()


async def _half_open(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def _slow_head(reader: Reader, writer: Writer) -> None:
    for byte in b"GET /?query=SELECT+1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 1000:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.5)


def _sends(
    parameters: str, headers: str, length: int, body: bytes = b""
) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def send(reader: Reader, writer: Writer) -> None:
        writer.write(_HEAD.format(parameters, headers, length).encode() + body)
        await writer.drain()
        await reader.read()

    return send


async def _slow_body(reader: Reader, writer: Writer) -> None:
    writer.write(_HEAD.format("query=INSERT+INTO+tick+FORMAT+TSV", "", 1 << 30).encode())
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.2)


async def _takes_nothing(reader: Reader, writer: Writer) -> None:
    query = "query=SELECT+*+FROM+numbers(10000000)+FORMAT+JSONEachRow"
    writer.write(_HEAD.format(query, "", 0).encode())
    await writer.drain()
    await asyncio.Event().wait()


_WRONG = "Authorization: Basic " + base64.b64encode(b"tickhouse.owner:guess").decode() + "\r\n"
_GUESS = "X-ClickHouse-User: ann\r\nX-ClickHouse-Key: guess\r\n"
_PACKED = "Content-Encoding: gzip\r\n"
_KINDS = (
    _half_open,
    _slow_head,
    _sends("query=SELECT+1", _WRONG, 0),
    _sends("", _GUESS, 1 << 20),
    _sends("", _WRONG + _PACKED, len(_BOMB), _BOMB),
    _sends("", _PACKED, len(_BOMB), _BOMB),
    _slow_body,
    _takes_nothing,
    _sends("query=SELECT+sleep(3)", "", 0),
    _sends("", "", 1000),
)
