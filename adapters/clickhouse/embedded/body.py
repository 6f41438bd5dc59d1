"""A request's body as it arrives, without its encoding.

The first megabyte is awaited before anything runs, so small requests are complete when they
start; what is larger follows in pieces and is never held as a whole.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from adapters.clickhouse.embedded.block_frames import FrameDecoder
from adapters.clickhouse.embedded.encoding import Decoder
from core.errors import WarehouseError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PIECE = 1 << 20


class ClientGoneError(Exception):
    """The client broke off before its request was complete."""


class Body:
    """Reads one body. `complete` tells whether all of it has been returned.

    framed: within the encoding are ClickHouse's compressed blocks (`decompress=1`).
    Methods raise ClientGoneError, and WarehouseError for bytes that are not of the encoding.
    """

    def __init__(self, receive: Receive, encoding: str, framed: bool = False) -> None:
        self._receive, self._decoder = receive, Decoder(encoding)
        self._frames = FrameDecoder() if framed else None
        self.complete = False

    async def piece(self, size: int = PIECE) -> bytes:
        """The next bytes, about `size` of them (as sent); fewer only at the end."""
        chunks: list[bytes] = []
        received = 0
        while received < size and not self.complete:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientGoneError
            chunk = message.get("body", b"")
            received += len(chunk)
            self.complete = not message.get("more_body")
            chunks.append(self._plain(chunk))
        return b"".join(chunks)

    def _plain(self, chunk: bytes) -> bytes:
        plain = self._decoder.feed(chunk)
        if self.complete:
            self._decoder.end()
        if self._frames is not None:
            plain = self._frames.feed(plain)
            if self.complete:
                self._frames.end()
        return plain

    async def rest(self, most: int) -> bytes:
        """Everything that is left.

        Raises:
            WarehouseError: 229, it is more than `most` bytes.
        """
        chunks: list[bytes] = []
        while not self.complete:
            chunks.append(await self.piece())
            if sum(map(len, chunks)) > most:
                raise WarehouseError(
                    "Code: 229. DB::Exception: A statement without data may have "
                    f"{most} bytes at most. (QUERY_IS_TOO_LARGE)",
                    229,
                )
        return b"".join(chunks)
