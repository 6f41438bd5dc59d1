"""The real MetaTrader 5 terminal: the package `MetaTrader5` behind the same protocol.

The package exists for Windows only and is imported when a terminal is made, nowhere else. One
session per process; all calls from one thread.
"""

import importlib
import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from adapters.mt5.protocol.symbol_info import SymbolInfo
from core.errors import SettingsError
from core.sections import TerminalSettings


class RealTerminal:
    """Implements Terminal by passing calls on.

    Args:
        config: `login`, `server` and `path` choose account and terminal; empty ones leave the
            choice to the terminal that runs. The password is the one the terminal has saved.
        package: stands for the module `MetaTrader5`: `package.SimulatedPackage`.

    Raises:
        SettingsError: the package is not installed or not for this system.
    """

    def __init__(self, config: TerminalSettings, package: Any = None) -> None:
        try:
            self._mt5: Any = package or importlib.import_module("MetaTrader5")
        except ImportError as error:
            raise SettingsError(
                "terminal.kind = 'real' needs the package MetaTrader5, which exists for Windows"
                " only: install it there (pip install MetaTrader5) beside the terminal, or set"
                " TICKHOUSE_TERMINAL__KIND=simulated"
            ) from error
        self._config = config

    def at(self, now_msc: int) -> None:
        """A real terminal has its own clock."""

    def initialize(self) -> bool:
        """Connect to the terminal and, when a login is set, log in to that account."""
        chosen: dict[str, Any] = {}
        if self._config.login:
            chosen["login"] = self._config.login
        if self._config.server:
            chosen["server"] = self._config.server
        path = (self._config.path,) if self._config.path else ()
        return bool(self._mt5.initialize(*path, **chosen))

    def shutdown(self) -> None:
        """Disconnect."""
        self._mt5.shutdown()

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last failure."""
        code, text = self._mt5.last_error()
        return int(code), str(text)

    def terminal_info(self) -> Any:
        """See Terminal."""
        return self._mt5.terminal_info()

    def account_info(self) -> Any:
        """See Terminal."""
        return self._mt5.account_info()

    def offered(self) -> tuple[str, ...]:
        """Names of all symbols of the broker; empty when it does not answer."""
        return tuple(info.name for info in self._mt5.symbols_get() or ())

    def symbols_get(self) -> tuple[Any, ...] | None:
        """The configured symbols, selected in Market Watch; `path` is `source\\symbol`."""
        infos = [self.symbol_info(symbol) for symbol in self._config.symbols]
        return tuple(info for info in infos if info is not None)

    def symbol_info(self, symbol: str) -> Any:
        """See Terminal. The broker's own folder in `path` is replaced by our source."""
        self._mt5.symbol_select(symbol, True)
        info = self._mt5.symbol_info(symbol)
        if info is None:
            return None
        fields = {k: v for k, v in info._asdict().items() if k in SymbolInfo._fields}
        return SymbolInfo(**{**fields, "path": f"{self._config.source}\\{symbol}"})

    def symbol_info_tick(self, symbol: str) -> Any:
        """See Terminal."""
        return self._mt5.symbol_info_tick(symbol)

    def copy_ticks_from(
        self, symbol: str, date_from: float, count: int, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal. Asked for whole seconds; ticks before `date_from` are left out."""
        ticks = self._mt5.copy_ticks_from(symbol, math.floor(date_from), count, flags)
        return None if ticks is None else ticks[ticks["time_msc"] >= round(date_from * 1000)]

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal. Asked for whole seconds; ticks outside the range are left out."""
        begin, end = math.floor(date_from), math.ceil(date_to)
        ticks = self._mt5.copy_ticks_range(symbol, begin, end, flags)
        if ticks is None:
            return None
        time = ticks["time_msc"]
        inside = (time >= round(date_from * 1000)) & (time <= round(date_to * 1000))
        within: npt.NDArray[Any] = ticks[inside]
        return within

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        """See Terminal."""
        margin: float | None = self._mt5.order_calc_margin(action, symbol, volume, price)
        return margin

    def order_send(self, request: Mapping[str, Any]) -> Any:
        """See Terminal."""
        return self._mt5.order_send(dict(request))

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._mt5.positions_get(**_given(symbol, ticket))

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._mt5.orders_get(**_given(symbol, ticket))

    def history_orders_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        return self._mt5.history_orders_get(math.floor(date_from), math.ceil(date_to))

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        return self._mt5.history_deals_get(math.floor(date_from), math.ceil(date_to))


def _given(symbol: str | None, ticket: int | None) -> dict[str, Any]:
    # The package takes one filter, and None for neither.
    if ticket is not None:
        return {"ticket": ticket}
    return {} if symbol is None else {"symbol": symbol}
