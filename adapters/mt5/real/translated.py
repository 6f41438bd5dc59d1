"""A real terminal in our words: our symbol names, and UTC instead of the server's clock.

Everything above speaks UTC and `EURUSD`; the broker speaks its own wall clock and `EURUSD.r`.
This stands between the two and changes nothing else. Raw times are kept by the rule: server time
is UTC plus the offset that `HOME/terminal.toml` dates.
"""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from adapters.mt5.protocol.results import (
    OrderSendResult,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)
from adapters.mt5.protocol.symbol_info import SymbolInfo
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.broker_file import Broker
from adapters.mt5.real.server_clock import ServerClock, shifted_ticks

# Fields of MetaTrader's tuples that hold a time; 0 means none.
_SECONDS = frozenset(
    ("time", "time_update", "time_setup", "time_done", "time_expiration", "expiration")
)
_MILLISECONDS = frozenset(("time_msc", "time_update_msc", "time_setup_msc", "time_done_msc"))


class TranslatedTerminal:
    """Implements Terminal over another one.

    Args:
        inner: speaks the broker's names and clock.
        broker: of its account.
    """

    def __init__(self, inner: Terminal, broker: Broker) -> None:
        self._inner, self._broker = inner, broker
        self._clock = ServerClock(broker.clock)
        self._theirs = broker.symbols
        self._ours = {theirs: ours for ours, theirs in broker.symbols.items()}

    def at(self, now_msc: int) -> None:
        """See Terminal."""
        self._inner.at(now_msc)

    def claim(self, number: int, holder: str) -> bool:
        """See RemoteTerminal; a terminal in this process has a lock instead."""
        inner = getattr(self._inner, "claim", None)
        return inner is None or bool(inner(number, holder))

    def initialize(self) -> bool:
        """See Terminal."""
        return self._inner.initialize()

    def shutdown(self) -> None:
        """See Terminal."""
        self._inner.shutdown()

    def last_error(self) -> tuple[int, str]:
        """See Terminal."""
        return self._inner.last_error()

    def terminal_info(self) -> Any:
        """See Terminal."""
        return self._inner.terminal_info()

    def account_info(self) -> Any:
        """See Terminal."""
        return self._inner.account_info()

    def symbols_get(self) -> tuple[Any, ...] | None:
        """The broker file's symbols under our names; None when one cannot be had."""
        infos = tuple(self.symbol_info(ours) for ours in self._theirs)
        return None if None in infos else infos

    def symbol_info(self, symbol: str) -> Any:
        """See Terminal."""
        info = self._inner.symbol_info(self._name(symbol))
        if info is None:
            return None
        return self._translated(info, SymbolInfo)._replace(
            name=symbol, path=f"{self._broker.source}\\{symbol}"
        )

    def symbol_info_tick(self, symbol: str) -> Any:
        """See Terminal."""
        tick = self._inner.symbol_info_tick(self._name(symbol))
        return None if tick is None else self._translated(tick, Tick)

    def copy_ticks_from(
        self, symbol: str, date_from: float, count: int, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal."""
        begin = self._clock.to_server(date_from)
        return self._shifted(self._inner.copy_ticks_from(self._name(symbol), begin, count, flags))

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> npt.NDArray[Any] | None:
        """See Terminal."""
        begin, end = self._clock.to_server(date_from), self._clock.to_server(date_to)
        return self._shifted(self._inner.copy_ticks_range(self._name(symbol), begin, end, flags))

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        """See Terminal."""
        return self._inner.order_calc_margin(action, self._name(symbol), volume, price)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        """See Terminal. The answer's copy of the request is in our words too."""
        sent = dict(request)
        if "symbol" in sent:
            sent["symbol"] = self._name(sent["symbol"])
        if sent.get("expiration"):
            sent["expiration"] = round(self._clock.to_server(sent["expiration"]))
        answer = self._inner.order_send(sent)
        if answer is None:
            return None
        request_back = self._translated(answer.request, TradeRequest)
        return self._translated(answer, OrderSendResult)._replace(request=request_back)

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._all(
            TradePosition, self._inner.positions_get(self._name_or_none(symbol), ticket)
        )

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        """See Terminal."""
        return self._all(TradeOrder, self._inner.orders_get(self._name_or_none(symbol), ticket))

    def history_orders_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        begin, end = self._clock.to_server(date_from), self._clock.to_server(date_to)
        return self._all(TradeOrder, self._inner.history_orders_get(begin, end))

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        """See Terminal."""
        begin, end = self._clock.to_server(date_from), self._clock.to_server(date_to)
        return self._all(TradeDeal, self._inner.history_deals_get(begin, end))

    def _name(self, symbol: str) -> str:
        return self._theirs.get(symbol, symbol)

    def _name_or_none(self, symbol: str | None) -> str | None:
        return None if symbol is None else self._name(symbol)

    def _shifted(self, ticks: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
        return None if ticks is None else shifted_ticks(self._clock, ticks)

    def _all(self, kind: type[Any], items: Any) -> Any:
        return None if items is None else tuple(self._translated(item, kind) for item in items)

    def _translated(self, item: Any, kind: type[Any]) -> Any:
        # The package's own tuples promise `_asdict` only, and newer builds add fields.
        values = item._asdict()
        for name, value in values.items():
            if name in _SECONDS and value:
                values[name] = round(self._clock.to_utc(value))
            elif name in _MILLISECONDS and value:
                values[name] = round(self._clock.to_utc(value / 1000) * 1000)
            elif name == "symbol":
                values[name] = self._ours.get(value, value)
        return kind(**{name: values.get(name, 0) for name in kind._fields})
