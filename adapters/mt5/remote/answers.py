"""The answering side for a real terminal: typed calls in, plain data out, and nothing else.

Only the functions below can be called, each with arguments of its own types, whatever a message
says, and each by those roles only that may call it at the simulated terminal
(`adapters.mt5.remote.hello`). A request for an order is rebuilt from the fields that a
TradeRequest has. The package's tuples become ours, so that both ends need not have the same
build of it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from adapters.mt5.fence import Fence
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import (
    AccountInfo,
    OrderSendResult,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)
from adapters.mt5.protocol.symbol_info import SymbolInfo
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.remote import frames
from adapters.mt5.remote.hello import ROLES

_log = logging.getLogger(__name__)
_call = msgspec.msgpack.Decoder(frames.Call)
_encoder = msgspec.msgpack.Encoder()
_NONE = msgspec.Raw(_encoder.encode(None))
_OLDER = (
    "this agent answers no older version, which does not say who asks: install the agent's version"
    " of Tickhouse where collector and execution run"
)


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for an order: the fields that the package knows, as far as they are given."""

    action: int
    symbol: str
    magic: int | UnsetType = UNSET
    order: int | UnsetType = UNSET
    volume: float | UnsetType = UNSET
    price: float | UnsetType = UNSET
    stoplimit: float | UnsetType = UNSET
    sl: float | UnsetType = UNSET
    tp: float | UnsetType = UNSET
    deviation: int | UnsetType = UNSET
    type: int | UnsetType = UNSET
    type_filling: int | UnsetType = UNSET
    type_time: int | UnsetType = UNSET
    expiration: int | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    position: int | UnsetType = UNSET
    position_by: int | UnsetType = UNSET


#: What may be called with which arguments.
ARGUMENTS: Mapping[str, Any] = {
    "terminal_info": tuple[()],
    "account_info": tuple[()],
    "offered": tuple[()],
    "symbols_get": tuple[()],
    "symbol_info": tuple[str],
    "symbol_info_tick": tuple[str],
    "copy_ticks_from": tuple[str, float, int, int],
    "copy_ticks_range": tuple[str, float, float, int],
    "order_calc_margin": tuple[int, str, float, float],
    "order_send": tuple[Form],
    "claim": tuple[()],
    "positions_get": tuple[str | None, int | None],
    "orders_get": tuple[str | None, int | None],
    "history_orders_get": tuple[float, float],
    "history_deals_get": tuple[float, float],
}
_KINDS: Mapping[str, Any] = {
    "terminal_info": TerminalInfo,
    "account_info": AccountInfo,
    "symbols_get": SymbolInfo,
    "symbol_info": SymbolInfo,
    "symbol_info_tick": Tick,
    "order_send": OrderSendResult,
    "positions_get": TradePosition,
    "orders_get": TradeOrder,
    "history_orders_get": TradeOrder,
    "history_deals_get": TradeDeal,
}


class TerminalCalls:
    """TerminalCalls calls with one terminal. One thread, the one that connected it."""

    def __init__(self, terminal: RealTerminal, fence: Fence | None = None) -> None:
        """`fence`: whose orders are taken."""
        self._terminal, self._fence = terminal, fence or Fence()

    def answer(self, frame: bytes, role: str) -> bytes:
        """The answer to one call of a role's, as a frame; a wrong call gets an error, no exception.

        An error of RES_E_INTERNAL_FAIL_CONNECT is to every version: an order was surely not sent.
        """
        if not role:
            return _failed(mt5.RES_E_INTERNAL_FAIL_CONNECT, _OLDER)
        try:
            call = _call.decode(frame)
            wanted = ARGUMENTS.get(call.method)
            if wanted is None:
                return _failed(mt5.RES_E_UNSUPPORTED, f"no function {call.method!r} here")
            if call.method not in ROLES.get(role, frozenset()):
                _log.warning("%s asked for %s, which it may not", role, call.method)
                return _failed(mt5.RES_E_AUTH_FAILED, f"{call.method}: not for {role}")
            arguments = msgspec.convert(call.arguments, wanted)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return _failed(mt5.RES_E_INVALID_PARAMS, f"not a call: {error}")
        try:
            result = self._result(call, arguments)
        except Exception as error:  # whatever the package does: who asked must hear of it
            _log.exception("%s failed", call.method)
            return _failed(mt5.RES_E_INTERNAL_FAIL, f"{call.method}: {error}")
        return self._framed(call.method, result)

    def _result(self, call: frames.Call, arguments: tuple[Any, ...]) -> Any:
        method = call.method
        if method == "claim":
            return self._fence.admits(call.claim, call.holder)
        if method == "order_send":
            if not self._fence.admits(call.claim, call.holder):
                return self._fence.refusal(call.claim)
            return self._terminal.order_send(msgspec.to_builtins(arguments[0]))
        result = getattr(self._terminal, method)(*arguments)
        if result is None and method == "terminal_info" and self._terminal.initialize():
            result = self._terminal.terminal_info()  # the terminal was started again
        return result

    def _framed(self, method: str, result: Any) -> bytes:
        code, text = self._terminal.last_error()
        if isinstance(result, np.ndarray):
            head = _encoder.encode(frames.Answer(code, text, _NONE, ticks=True))
            plain = np.ascontiguousarray(result)
            return frames.joined(head, plain.view(np.uint8).data if len(plain) else b"")
        plain_result = _plain(result, _KINDS.get(method))
        raw = msgspec.Raw(_encoder.encode(plain_result))
        return frames.joined(_encoder.encode(frames.Answer(code, text, raw)))


def _plain(result: Any, kind: Any) -> Any:
    """The package's tuples as ours. Newer builds add fields, older ones lack some."""
    if result is None or kind is None:
        return result
    if not hasattr(result, "_asdict"):
        return tuple(_plain(item, kind) for item in result)
    values = result._asdict()
    if kind is OrderSendResult:
        values["request"] = _plain(values["request"], TradeRequest)
    return kind(**{name: values.get(name, 0) for name in kind._fields})


def _failed(code: int, text: str) -> bytes:
    return frames.joined(_encoder.encode(frames.Answer(code, text, _NONE)))
