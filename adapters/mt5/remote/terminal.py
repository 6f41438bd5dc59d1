"""A client of a terminal in another process: Terminal and RecordedMarket by RPC, over any link.

Reads are repeated over new connections until `timeout_s`. An order is sent at most once: when
its answer is lost the result is None, as with MetaTrader 5, and the caller must ask first.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.recorded_market import MarketSlice
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.remote import frames
from adapters.mt5.remote.links import Link
from core.errors import UnavailableError

_RETRY_S = 0.05
_decoders = {
    name: msgspec.msgpack.Decoder(kind) for name, kind in frames.METHODS.items() if kind is not None
}
_answer = msgspec.msgpack.Decoder(frames.Answer)
_encoder = msgspec.msgpack.Encoder()


class RemoteTerminal:
    """One connection, for one thread. Every call carries the time given by `at`.

    Args:
        link: the way to it.
        timeout_s: how long reads go on trying, and an order's answer is waited for.
    """

    def __init__(self, link: Link, timeout_s: float = 30.0) -> None:
        self._link, self._timeout_s = link, timeout_s
        self._now_msc = 0
        self._claim, self._holder = 0, ""
        self._error = (mt5.RES_S_OK, "Success")

    def at(self, now_msc: int) -> None:
        """The caller's market time, for all calls from now on."""
        self._now_msc = now_msc

    def claim(self, number: int, holder: str) -> bool:
        """Send orders under a claim from now on; False when a newer one is known there.

        A server that knows no claims takes everybody's orders: True.

        Raises:
            UnavailableError: the server stays away.
        """
        self._claim, self._holder = number, holder
        admitted = self._read("claim")
        if admitted is None and self._error[0] != mt5.RES_E_UNSUPPORTED:
            raise UnavailableError(f"{self._link}: {self._error[1]}")
        return admitted is not False

    def initialize(self) -> bool:
        """Connect; False when the server stays away for `timeout_s`."""
        return self._read("terminal_info") is not None

    def shutdown(self) -> None:
        """Disconnect."""
        self._link.close()

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last failure."""
        return self._error

    def terminal_info(self) -> Any:
        """See Terminal."""
        return self._read("terminal_info")

    def account_info(self) -> Any:
        """See Terminal."""
        return self._read("account_info")

    def symbols_get(self) -> tuple[Any, ...] | None:
        """See Terminal."""
        infos: tuple[Any, ...] | None = self._read("symbols_get")
        return infos

    def symbol_info(self, symbol: str) -> Any:
        """See Terminal."""
        return self._read("symbol_info", symbol)

    def symbol_info_tick(self, symbol: str) -> Any:
        """See Terminal."""
        return self._read("symbol_info_tick", symbol)

    def copy_ticks_from(
        self, symbol: str, date_from: float, count: int, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal."""
        return self._ticks("copy_ticks_from", symbol, float(date_from), count, flags)

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal."""
        return self._ticks("copy_ticks_range", symbol, float(date_from), float(date_to), flags)

    def wait_for_ticks(self, symbols: Sequence[str], after_msc: int, at_most_s: float) -> bool:
        """Return when one of the symbols has a tick later than `after_msc`, or after so long.

        Instead of asking again and again. False: the server does not know how; do ask. A server
        that goes away meanwhile is not waited for: who asks next learns it.
        """
        try:
            answer = self._call(
                "wait_for_ticks", [list(symbols), after_msc, at_most_s], self._timeout_s
            )
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._link.drop()
            return True
        return answer is not None

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        """See Terminal."""
        margin: float | None = self._read("order_calc_margin", action, symbol, volume, price)
        return margin

    def order_send(self, request: Mapping[str, Any]) -> Any:
        """Send once. None: the outcome is unknown unless `last_error()` is -10004 (never sent)."""
        if not self._link.open(self._timeout_s):
            return self._fail(mt5.RES_E_INTERNAL_FAIL_CONNECT, "no IPC connection; nothing sent")
        try:
            return self._call("order_send", [dict(request)], self._timeout_s)
        except ConnectionRefusedError as error:
            self._link.drop()
            return self._fail(mt5.RES_E_INTERNAL_FAIL_CONNECT, f"nothing sent: {error}")
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._link.drop()
            text = f"IPC timeout: no answer to order_send ({error})"
            return self._fail(mt5.RES_E_INTERNAL_FAIL_TIMEOUT, text)

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._read("positions_get", symbol, ticket)

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._read("orders_get", symbol, ticket)

    def history_orders_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        return self._read("history_orders_get", float(date_from), float(date_to))

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        return self._read("history_deals_get", float(date_from), float(date_to))

    def offered(self) -> tuple[str, ...]:
        """Names of all symbols of a real terminal's broker; empty when it does not answer."""
        return self._read("offered") or ()

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """See RecordedMarket. Raises UnavailableError when the server stays away."""
        names: tuple[tuple[str, str], ...] = self._market("feeds")
        return names

    def slice(self, number: int) -> MarketSlice | None:
        """See RecordedMarket. Raises UnavailableError when the server stays away."""
        market_slice: MarketSlice | None = self._market("slice", number)
        return market_slice

    def slice_ticks(self, number: int, source: str, symbol: str) -> npt.NDArray[Any]:
        """See RecordedMarket. Raises UnavailableError when the server stays away."""
        ticks: npt.NDArray[Any] = self._market("slice_ticks", number, source, symbol)
        return ticks

    def _market(self, method: str, *arguments: Any) -> Any:
        # None has a meaning here ("no such slice"), so a missing answer must be an error.
        answer = self._read(method, *arguments)
        if answer is None and self._error[0] != mt5.RES_S_OK:
            raise UnavailableError(f"{self._link}: {self._error[1]}")
        return answer

    def _ticks(self, method: str, *arguments: Any) -> npt.NDArray[Any] | None:
        ticks: npt.NDArray[Any] | None = self._read(method, *arguments)
        return ticks

    def _read(self, method: str, *arguments: Any) -> Any:
        deadline = time.monotonic() + self._timeout_s
        while self._link.open(left := deadline - time.monotonic()):
            try:
                return self._call(method, list(arguments), left)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                self._link.drop()
                time.sleep(_RETRY_S)
        return self._fail(mt5.RES_E_INTERNAL_FAIL_CONNECT, f"no IPC connection: {self._link}")

    def _call(self, method: str, arguments: list[Any], timeout_s: float) -> Any:
        call = _encoder.encode(
            frames.Call(method, self._now_msc, arguments, self._claim, self._holder)
        )
        head, tail = self._link.ask(call, timeout_s)
        answer = _answer.decode(head)
        self._error = (answer.code, answer.text)
        if answer.ticks:
            return np.frombuffer(tail, MT5_TICK)
        decoder = _decoders.get(method)
        return decoder.decode(answer.result) if decoder else None

    def _fail(self, code: int, text: str) -> None:
        self._error = (code, text)
