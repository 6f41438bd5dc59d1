"""Connections as uvicorn serves them, with the bounds it lacks.

A connection that asks for nothing may not be held for ever: a head must be there in time and is of
bounded size, what follows a refusal is thrown away only so long, and beyond a number of
connections the one idle longest makes room. What a request under way may take is the App's matter.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Seconds for a request's head, and for what is left of a body that was refused.
HEAD_S = 30.0
LARGEST_HEAD = 1 << 20  # ClickHouse's own for a URL
MOST = 1024
_TOO_LARGE = b"HTTP/1.1 431 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(AutoHTTPProtocol):  # type: ignore[misc]
    """One connection, with httptools or, where that is not installed, h11."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head, self._head_bytes = False, 0  # h11 bounds a head by itself
        self._heard_at = self.loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def connection_made(self, transport: asyncio.Transport) -> None:
        """asyncio's: it is there."""
        super().connection_made(transport)
        if len(self.connections) > MOST and not self._make_room():
            transport.abort()
            return
        self._watch()

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio's: it is gone."""
        self._unwatch()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """asyncio's: bytes came."""
        self._heard_at = self.loop.time()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LARGEST_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        if self.is_idle:
            self._watch()
        else:
            self._unwatch()

    def on_message_begin(self) -> None:
        """httptools': a request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """httptools': its head is there."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def _watch(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(HEAD_S, self._give_up)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.is_idle:
            self.transport.abort()

    def _make_room(self) -> bool:
        others = (it for it in self.connections if isinstance(it, Connection) and it is not self)
        idle = [it for it in others if it.is_idle and not it.transport.is_closing()]
        if not idle:
            return False
        min(idle, key=lambda it: it._heard_at).transport.abort()
        return True
