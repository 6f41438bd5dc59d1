"""The terminal protocol: MetaTrader 5's own Python functions, whoever answers them.

Three implementations: the real package (`real.py`, Windows only), the simulated terminal in
this process (`fake.py`), and a client of a simulated terminal in another process (`remote.py`).
Names, arguments, results and constants are those of the package `MetaTrader5`; its words (deal,
lot, retcode) stay inside `adapters.mt5`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

#: dtype of the arrays that copy_ticks_* return, as the package defines it.
MT5_TICK = np.dtype(
    [
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("volume", "<u8"),
        ("time_msc", "<i8"),
        ("flags", "<u4"),
        ("volume_real", "<f8"),
    ]
)


class Terminal(Protocol):
    """MetaTrader 5's functions. One session per process, one thread, every call blocks.

    As in the package, failure is a None (or False) result and `last_error()` tells why; None
    from `order_send` means the outcome is unknown: ask before anything is sent again.
    """

    def at(self, now_msc: int) -> None:
        """Tell a simulated terminal the caller's market time; a real one ignores it.

        The simulated account is brought up to that time (stops, swaps) before the next call.
        """
        ...

    def initialize(self) -> bool:
        """Connect."""
        ...

    def shutdown(self) -> None:
        """Disconnect."""
        ...

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last failure; (1, "Success") when there was none."""
        ...

    def terminal_info(self) -> Any:
        """Named tuple with at least `connected`, `trade_allowed`, `name`."""
        ...

    def account_info(self) -> Any:
        """Named tuple: login, server, currency, balance, equity, margin, margin_free, ..."""
        ...

    def symbols_get(self) -> tuple[Any, ...] | None:
        """All symbols; `path` starts with the source (`oanda\\EURUSD`)."""
        ...

    def symbol_info(self, symbol: str) -> Any:
        """Digits, point, volume_min/max/step, trade_contract_size, filling_mode, ... or None."""
        ...

    def symbol_info_tick(self, symbol: str) -> Any:
        """The newest tick, or None. It conflates: use it only to wake up."""
        ...

    def copy_ticks_from(
        self, symbol: str, date_from: float, count: int, flags: int
    ) -> npt.NDArray[Any] | None:
        """Up to `count` ticks from `date_from` (epoch seconds, inclusive), dtype MT5_TICK."""
        ...

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> npt.NDArray[Any] | None:
        """Ticks between two times (epoch seconds, both inclusive), dtype MT5_TICK."""
        ...

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        """Margin in account currency that an order would take."""
        ...

    def order_send(self, request: Mapping[str, Any]) -> Any:
        """Send one request; blocks for the broker's round trip. OrderSendResult or None."""
        ...

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """Open positions as a tuple of TradePosition; None on failure."""
        ...

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """Working orders as a tuple of TradeOrder; None on failure."""
        ...

    def history_orders_get(self, date_from: float, date_to: float) -> Any:
        """Finished orders between two times (epoch seconds) as a tuple of TradeOrder."""
        ...

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        """Deals between two times (epoch seconds, inclusive) as a tuple of TradeDeal."""
        ...
