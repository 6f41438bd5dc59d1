"""A listener's first byte tells whether its client speaks TLS; who does not is told so in HTTP.

asyncio alone would hang up without a word. The protocol behind sees an ordinary TLS transport.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any

_HANDSHAKE = 0x16  # of a TLS record, the first that a client sends
_SILENT_S = 30.0
#: How long a client that rests has to say goodbye in TLS; asyncio's 30 s would hold up every stop.
_GOODBYE_S = 0.5
_WORDS = (
    b"This door speaks TLS only: ask it by https://, and trust the authority.pem of its home.\n"
)
REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_WORDS), _WORDS)
)


def is_plain(first: bytes) -> bool:
    """Whether the first bytes of a client begin something else than TLS."""
    return bool(first) and first[0] != _HANDSHAKE


def behind(context: ssl.SSLContext | None, protocol: Callable[..., Any]) -> Callable[..., Any]:
    """A factory like `protocol`, of protocols that stand behind TLS; the same without a context."""
    if context is None:
        return protocol
    return lambda *arguments, **named: _Door(context, protocol(*arguments, **named))


class _Door(asyncio.Protocol):
    """Before the first byte; then the transport belongs to TLS."""

    def __init__(self, context: ssl.SSLContext, behind: Any) -> None:
        self._context, self._behind = context, behind
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: it is there."""
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(_SILENT_S, self._transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio's: it left without a word."""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """asyncio's: the first bytes."""
        if self._timer is not None:
            self._timer.cancel()
        if is_plain(data):
            self._transport.write(REFUSAL)
            self._transport.close()
            return
        loop = asyncio.get_running_loop()
        secured = SSLProtocol(
            loop, self._behind, self._context, None,  # type: ignore[arg-type]
            server_side=True, ssl_shutdown_timeout=_GOODBYE_S,
        )  # fmt: skip
        self._transport.set_protocol(secured)
        secured.connection_made(self._transport)
        while data:
            room = secured.get_buffer(len(data))
            taken = min(len(room), len(data))
            room[:taken] = data[:taken]
            secured.buffer_updated(taken)
            data = data[taken:]
