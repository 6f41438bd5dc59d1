"""Frames between a remote terminal and its server: what may be called, and the bytes.

A frame is two little-endian uint32 (length of head and of tail), a MessagePack head, and a raw
tail. Only the names below can be called; arguments and answers are plain data, so a frame can
carry no code. Arrays of ticks travel as the tail, uncopied.
"""

import socket
import struct
from typing import Any

import msgspec

from adapters.mt5.market import MarketSlice
from adapters.mt5.results import (
    AccountInfo,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

#: Callable methods and the type of their result; None: an array of ticks.
METHODS: dict[str, Any] = {
    "terminal_info": TerminalInfo | None,
    "account_info": AccountInfo | None,
    "symbols_get": tuple[SymbolInfo, ...] | None,
    "symbol_info": SymbolInfo | None,
    "symbol_info_tick": Tick | None,
    "copy_ticks_from": None,
    "copy_ticks_range": None,
    "order_calc_margin": float | None,
    "order_send": OrderSendResult | None,
    "positions_get": tuple[TradePosition, ...] | None,
    "orders_get": tuple[TradeOrder, ...] | None,
    "history_orders_get": tuple[TradeOrder, ...] | None,
    "history_deals_get": tuple[TradeDeal, ...] | None,
    "feeds": tuple[tuple[str, str], ...],
    "slice": MarketSlice | None,
    "slice_ticks": None,
}

_LENGTHS = struct.Struct("<II")
_MAX_BYTES = 1 << 30


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One call at the caller's market time."""

    method: str
    now_msc: int
    arguments: list[Any]


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One answer: `last_error()`, and the result (`ticks`: it is the tail)."""

    code: int
    text: str
    result: msgspec.Raw
    ticks: bool = False


def send(connection: socket.socket, head: bytes, tail: memoryview | bytes = b"") -> None:
    """Write one frame."""
    connection.sendall(_LENGTHS.pack(len(head), len(tail)) + head)
    if len(tail):
        connection.sendall(tail)


def receive(connection: socket.socket) -> tuple[bytearray, bytearray] | None:
    """Read one frame; None when the other side closed between frames.

    Raises:
        ConnectionError: it closed within a frame, or what came is no frame.
    """
    prefix = _exactly(connection, _LENGTHS.size)
    if prefix is None:
        return None
    head, tail = _LENGTHS.unpack(prefix)
    if head + tail > _MAX_BYTES:
        raise ConnectionError("not a frame of a Tickhouse terminal")
    parts = _exactly(connection, head), _exactly(connection, tail)
    if parts[0] is None or parts[1] is None:
        raise ConnectionError("closed within a frame")
    return parts[0], parts[1]


def _exactly(connection: socket.socket, count: int) -> bytearray | None:
    buffer = bytearray(count)
    view, got = memoryview(buffer), 0
    while got < count:
        received = connection.recv_into(view[got:])
        if received == 0:
            if got:
                raise ConnectionError("closed within a frame")
            return None
        got += received
    return buffer
