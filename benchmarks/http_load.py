"""Asks one address over and over on many connections, in this process: requests/s and latencies.

A client of libraries would be slower than what it measures: this one writes the same bytes again
and reads no more of an answer than its length.
"""

import asyncio
import time
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt


class Load(NamedTuple):
    """What a run reached. `seconds`: of each answer."""

    answers: int
    took_s: float
    seconds: npt.NDArray[np.float64]

    @property
    def per_s(self) -> float:
        """Answers in a second."""
        return self.answers / self.took_s

    def quantile_ms(self, share: float) -> float:
        """Milliseconds within which this share of answers came."""
        return float(np.quantile(self.seconds, share)) * 1000


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, until_s: float, seconds: list[float]) -> None:
        self._request, self._until_s, self._seconds = request, until_s, seconds
        self.done = asyncio.get_running_loop().create_future()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none by its type
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._seconds.append(time.perf_counter() - self._asked_s)
        self._received = b""
        if time.perf_counter() < self._until_s:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._asked_s = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")):
        raise RuntimeError(f"refused: {head[:200]!r}")
    _, separator, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if separator else 0


async def load(port: int, path: str, connections: int, span_s: float, *headers: str) -> Load:
    """Ask for so many seconds, each connection again as soon as it is answered."""
    lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", "")
    request, seconds, begun_s = "\r\n".join(lines).encode(), list[float](), time.perf_counter()
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(
            lambda: _Connection(request, begun_s + span_s, seconds), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in pairs))
    return Load(len(seconds), time.perf_counter() - begun_s, np.array(seconds))
