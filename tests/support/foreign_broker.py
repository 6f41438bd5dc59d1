"""A stand-in for the package MetaTrader5 whose broker has names and a clock of its own.

Below it is the simulated terminal; above it the product's real adapter runs unchanged. Its clock
is made with zoneinfo directly, not with the product's rules.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from adapters.mt5.protocol.terminal import Terminal

_TIMES = ("time", "time_update", "time_setup", "time_done", "time_expiration", "expiration")
_TIMES_MSC = ("time_msc", "time_update_msc", "time_setup_msc", "time_done_msc")


class ForeignBroker:
    """Answers as the package's module would."""

    def __init__(
        self, inside: Terminal, names: Mapping[str, str], zone: str, ahead_h: int = 0
    ) -> None:
        """`names`: the simulated terminal's names to the broker's."""
        self._inside, self._names = inside, dict(names)
        self._plain = {theirs: ours for ours, theirs in names.items()}
        self._zone, self._ahead = ZoneInfo(zone), timedelta(hours=ahead_h)
        self.selected: set[str] = set()
        self.trade_allowed = True
        self.requests: list[dict[str, Any]] = []

    def put_ahead(self, hours: int) -> None:
        """The clock changes, as brokers' do with summer time."""
        self._ahead = timedelta(hours=hours)

    def at(self, now_msc: int) -> None:
        self._inside.at(now_msc)

    def initialize(self, *_: Any, **__: Any) -> bool:
        return self._inside.initialize()

    def shutdown(self) -> None:
        """The simulated terminal below outlives a session."""

    def last_error(self) -> tuple[int, str]:
        return self._inside.last_error()

    def terminal_info(self) -> Any:
        return self._inside.terminal_info()._replace(trade_allowed=self.trade_allowed)

    def account_info(self) -> Any:
        return self._inside.account_info()._replace(server="Broker-Live")

    def symbol_select(self, symbol: str, enable: bool) -> bool:
        self.selected.add(symbol)
        return symbol in self._plain and enable

    def symbols_get(self) -> Any:
        return tuple(self.symbol_info(theirs) for theirs in self._plain)

    def symbol_info(self, symbol: str) -> Any:
        if symbol not in self._plain:
            return None
        info = self._inside.symbol_info(self._plain[symbol])
        return self._foreign(info)._replace(name=symbol, path=f"Forex\\{symbol}")

    def symbol_info_tick(self, symbol: str) -> Any:
        tick = self._inside.symbol_info_tick(self._plain[symbol])
        return None if tick is None else self._foreign(tick)

    def copy_ticks_from(self, symbol: str, date_from: float, count: int, flags: int) -> Any:
        ticks = self._inside.copy_ticks_from(
            self._plain[symbol], self._utc(date_from), count, flags
        )
        return self._shifted(ticks)

    def copy_ticks_range(self, symbol: str, date_from: float, date_to: float, flags: int) -> Any:
        begin, end = self._utc(date_from), self._utc(date_to)
        return self._shifted(self._inside.copy_ticks_range(self._plain[symbol], begin, end, flags))

    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float) -> Any:
        return self._inside.order_calc_margin(action, self._plain[symbol], volume, price)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        self.requests.append(dict(request))
        sent = {**request, "symbol": self._plain[request["symbol"]]}
        if sent.get("expiration"):
            sent["expiration"] = round(self._utc(sent["expiration"]))
        answer = self._inside.order_send(sent)
        if answer is None:
            return None
        echo = {"symbol": request["symbol"], "expiration": request.get("expiration", 0)}
        return answer._replace(request=answer.request._replace(**echo))

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        plain = self._plain[symbol] if symbol else None
        return self._all(self._inside.positions_get(plain, ticket))

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        plain = self._plain[symbol] if symbol else None
        return self._all(self._inside.orders_get(plain, ticket))

    def history_orders_get(self, date_from: float, date_to: float) -> Any:
        begin, end = self._utc(date_from), self._utc(date_to)
        return self._all(self._inside.history_orders_get(begin, end))

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        begin, end = self._utc(date_from), self._utc(date_to)
        return self._all(self._inside.history_deals_get(begin, end))

    def _ahead_s(self, utc_s: float) -> float:
        there = datetime.fromtimestamp(min(utc_s, 4e9), self._zone).utcoffset()
        assert there is not None
        return (there + self._ahead).total_seconds()

    def _utc(self, server_s: float) -> float:
        wall = datetime.fromtimestamp(min(server_s, 4e9), UTC).replace(tzinfo=None) - self._ahead
        return wall.replace(tzinfo=self._zone, fold=1).timestamp()

    def _shifted(self, ticks: Any) -> Any:
        if ticks is None:
            return None
        shifted = ticks.copy()
        ahead = [self._ahead_s(msc / 1000) * 1000 for msc in ticks["time_msc"].tolist()]
        shifted["time_msc"] += np.array(ahead, np.int64)
        shifted["time"] = shifted["time_msc"] // 1000
        return shifted

    def _all(self, items: Any) -> Any:
        return None if items is None else tuple(self._foreign(item) for item in items)

    def _foreign(self, item: Any) -> Any:
        changed: dict[str, Any] = {}
        for name in item._fields:
            value = getattr(item, name)
            if name in _TIMES and value:
                changed[name] = round(value + self._ahead_s(value))
            elif name in _TIMES_MSC and value:
                changed[name] = round(value + self._ahead_s(value / 1000) * 1000)
            elif name == "symbol":
                changed[name] = self._names.get(value, value)
        return item._replace(**changed)
