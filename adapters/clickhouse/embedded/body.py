"""A request's body as it arrives, without its encoding.

The first megabyte is awaited before anything runs, so small requests are complete when they
start; what is larger follows in pieces and is never held as a whole.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from adapters.clickhouse.embedded.encoding import Decoder

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PIECE = 1 << 20


class ClientGoneError(Exception):
    """The client broke off before its request was complete."""


class Body:
    """Reads one body. `complete` tells whether all of it has been returned.

    Methods raise ClientGoneError, and ValueError for bytes that are not of the encoding.
    """

    def __init__(self, receive: Receive, encoding: str) -> None:
        self._receive, self._decoder = receive, Decoder(encoding)
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
            chunks.append(self._decoder.feed(chunk))
            self.complete = not message.get("more_body")
        return b"".join(chunks)

    async def rest(self, most: int) -> bytes:
        """Everything that is left.

        Raises:
            ValueError: it is more than `most` bytes.
        """
        chunks: list[bytes] = []
        while not self.complete:
            chunks.append(await self.piece())
            if sum(map(len, chunks)) > most:
                raise ValueError(f"a statement without data may have {most} bytes at most")
        return b"".join(chunks)
