"""Frames between a remote terminal and its server: what may be called, and the bytes.

A frame is two little-endian uint32 (length of head and of tail), a MessagePack head, and a raw
tail. Only the names below can be called; arguments and answers are plain data, so a frame can
carry no code. Arrays of ticks travel as the tail, uncopied.
"""

import contextlib
import socket
import struct
from typing import Any

import msgspec

from adapters.mt5.protocol.recorded_market import MarketSlice
from adapters.mt5.protocol.results import (
    AccountInfo,
    OrderSendResult,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from adapters.mt5.protocol.symbol_info import SymbolInfo

#: Callable methods and the type of their result; None: an array of ticks.
METHODS: dict[str, Any] = {
    "terminal_info": TerminalInfo | None,
    "account_info": AccountInfo | None,
    "symbols_get": tuple[SymbolInfo, ...] | None,
    "symbol_info": SymbolInfo | None,
    "symbol_info_tick": Tick | None,
    "copy_ticks_from": None,
    "copy_ticks_range": None,
    "wait_for_ticks": bool | None,
    "order_calc_margin": float | None,
    "order_send": OrderSendResult | None,
    "claim": bool | None,
    "positions_get": tuple[TradePosition, ...] | None,
    "orders_get": tuple[TradeOrder, ...] | None,
    "history_orders_get": tuple[TradeOrder, ...] | None,
    "history_deals_get": tuple[TradeDeal, ...] | None,
    "offered": tuple[str, ...],
    "feeds": tuple[tuple[str, str], ...],
    "slice": MarketSlice | None,
    "slice_ticks": None,
}

_LENGTHS = struct.Struct("<II")
_MAX_BYTES = 1 << 30


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One call at the caller's market time, under its claim of the account if it has one."""

    method: str
    now_msc: int
    arguments: list[Any]
    claim: int = 0  # see adapters.mt5.fence
    holder: str = ""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One answer: `last_error()`, and the result (`ticks`: it is the tail)."""

    code: int
    text: str
    result: msgspec.Raw
    ticks: bool = False


def joined(head: bytes, tail: memoryview | bytes = b"") -> bytes:
    """A frame in one piece, for a link that keeps messages apart."""
    return b"".join((_LENGTHS.pack(len(head), len(tail)), head, tail))


def split(frame: bytes) -> tuple[bytes, bytes]:
    """Head and tail of a frame in one piece.

    Raises:
        ConnectionError: what came is no frame.
    """
    if len(frame) < _LENGTHS.size:
        raise ConnectionError("not a frame of a Tickhouse terminal")
    head_length, tail_length = _LENGTHS.unpack_from(frame)
    if _LENGTHS.size + head_length + tail_length != len(frame):
        raise ConnectionError("not a frame of a Tickhouse terminal")
    middle = _LENGTHS.size + head_length
    return frame[_LENGTHS.size : middle], frame[middle:]


class Channel:
    """Frames over one connected socket. Reads are buffered: a small frame costs one call."""

    def __init__(
        self, connection: socket.socket, most: int = _MAX_BYTES, frame_s: float | None = None
    ) -> None:
        """`most`: bytes of a frame that is received. `frame_s`: how long a read may take once the
        frame began, and a write; None leaves timeouts as they are."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._most, self._frame_s = connection, most, frame_s
        self._reader = connection.makefile("rb")

    def send(self, head: bytes, tail: memoryview | bytes = b"") -> None:
        """Write one frame."""
        self._connection.sendall(_LENGTHS.pack(len(head), len(tail)) + head)
        if len(tail):
            self._connection.sendall(tail)

    def receive(self) -> tuple[bytes, bytearray] | None:
        """Read one frame; None when the other side closed between frames.

        Raises:
            ConnectionError: it closed within a frame, or what came is no frame.
            TimeoutError: it stopped within a frame.
        """
        if self._frame_s is not None:
            self._connection.settimeout(None)
            self._reader.peek(1)
            self._connection.settimeout(self._frame_s)
        prefix = self._reader.read(_LENGTHS.size)
        if not prefix:
            return None
        if len(prefix) < _LENGTHS.size:
            raise ConnectionError("closed within a frame")
        head_length, tail_length = _LENGTHS.unpack(prefix)
        if head_length + tail_length > self._most:
            raise ConnectionError("not a frame of a Tickhouse terminal")
        head, tail = self._reader.read(head_length), bytearray(tail_length)
        if len(head) < head_length or (tail_length and self._reader.readinto(tail) < tail_length):
            raise ConnectionError("closed within a frame")
        return head, tail

    def end(self) -> None:
        """Make the thread that waits in `receive` get None; it then closes."""
        with contextlib.suppress(OSError):  # the other side may be gone already
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Disconnect; only by the thread that reads."""
        self._reader.close()
        self._connection.close()
