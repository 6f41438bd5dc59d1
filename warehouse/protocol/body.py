"""A request's body as it arrives, without its encoding.

The first megabyte is awaited before anything runs, so small requests are complete when they
start; what is larger follows in pieces and is never held as a whole. Nothing here runs before its
sender is known: whoever makes a Body lets a stranger spend the server's memory.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Self

from core.errors import WarehouseError
from warehouse.protocol.block_frames import LARGEST_FRAME, FrameDecoder
from warehouse.protocol.encoding import Decoder
from warehouse.protocol.status import TOO_MANY_QUERIES

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PIECE = 1 << 20
#: Plain bytes after which a piece ends, however few were sent for them.
LARGEST_PIECE = 16 << 20


class ClientGoneError(Exception):
    """The client broke off before its request was complete."""


class Room:
    """Plain bytes that all bodies may hold together, `left` of them still free."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, size: int) -> None:
        """Hold more.

        Raises:
            WarehouseError: 202, there is no room.
        """
        if size > self.left:
            raise WarehouseError(
                f"Code: {TOO_MANY_QUERIES}. DB::Exception: The statements that are being read fill "
                "the memory set aside for them, try again. (TOO_MANY_SIMULTANEOUS_QUERIES)",
                TOO_MANY_QUERIES,
            )
        self.left -= size


class Body:
    """Reads one body. `complete` tells whether all of it has been returned. A context, at whose end
    nothing of it is held.

    framed: within the encoding are ClickHouse's compressed blocks (`decompress=1`).
    largest: plain bytes that may be held at once, of a statement or of one such block.
    stalled_s: a client whose next piece takes longer is given up. room: shared with other bodies.
    Methods raise ClientGoneError, TimeoutError, and WarehouseError for bytes that are not of the
    encoding.
    """

    def __init__(
        self,
        receive: Receive,
        encoding: str,
        framed: bool = False,
        largest: int = LARGEST_FRAME,
        stalled_s: float | None = None,
        room: Room | None = None,
    ) -> None:
        self._receive, self._decoder = receive, Decoder(encoding)
        self._frames = FrameDecoder(largest) if framed else None
        self._largest, self._stalled_s = largest, stalled_s
        self._room, self._held, self._keeps = room or Room(sys.maxsize), 0, False
        self._steps: Iterator[bytes] = iter(())  # plain, of the message received last
        self._last = False  # nothing more is received
        self.complete = False

    async def piece(self, size: int = PIECE) -> bytes:
        """The next bytes, about `size` of them as sent and LARGEST_PIECE when plain; fewer only at
        the end.
        """
        if not self._keeps:
            self._let_go()  # what came before is with the engine
        chunks: list[bytes] = []
        received = taken = 0
        async with asyncio.timeout(self._stalled_s):
            while taken < min(LARGEST_PIECE, self._largest):
                if (plain := next(self._steps, None)) is not None:
                    self._hold(len(plain))
                    chunks.append(plain)
                    taken += len(plain)
                elif self._last:
                    self._end()
                    break
                elif received >= size:
                    break
                else:
                    received += await self._more()
        return b"".join(chunks)

    async def rest(self) -> bytes:
        """Everything that is left.

        Raises:
            WarehouseError: 229, it is more than the largest statement.
        """
        chunks: list[bytes] = []
        self._keeps = True
        while not self.complete:
            chunks.append(await self.piece())
            if sum(map(len, chunks)) > self._largest:
                raise WarehouseError(
                    "Code: 229. DB::Exception: A statement without data may have "
                    f"{self._largest} bytes at most (TICKHOUSE_WAREHOUSE__LARGEST_STATEMENT_MIB). "
                    "(QUERY_IS_TOO_LARGE)",
                    229,
                )
            await asyncio.sleep(0)  # unpacking what is there already would keep everybody waiting
        return b"".join(chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def _hold(self, size: int) -> None:
        self._room.take(size)
        self._held += size

    def _let_go(self) -> None:
        self._room.left += self._held
        self._held = 0

    async def _more(self) -> int:
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        chunk = message.get("body", b"")
        self._last = not message.get("more_body")
        self._steps = self._plain(chunk)
        return len(chunk)

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        for plain in self._decoder.feed(chunk):
            if self._frames is None:
                yield plain
            else:
                yield from self._frames.feed(plain)

    def _end(self) -> None:
        self._decoder.end()
        if self._frames is not None:
            self._frames.end()
        self.complete = True
