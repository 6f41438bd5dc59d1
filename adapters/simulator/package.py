"""The package `MetaTrader5` over a simulated terminal: its functions, arguments and constants.

`RealTerminal` runs on it unchanged. Calls that the package answers differently from our own
protocol are answered its way here: filters by keyword, None and `last_error()` on failure, a
session that must be begun. Faults follow a script (`faults.py`).
"""

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderCheckResult, OrderSendResult
from adapters.simulator.broker.dealing_desk import Desk
from adapters.simulator.faults import Faults
from adapters.simulator.terminal import SimulatedTerminal

_FAR_S = 4_102_444_800.0


class SimulatedPackage:
    """Stands where the module `MetaTrader5` stands.

    Args:
        terminal: the simulated terminal whose account it is.
        now_msc: the market's time.
        sleep: waits so many seconds of it, as `order_send` does for the broker's answer.
        faults: the script; by default nothing goes wrong.
    """

    def __init__(
        self,
        terminal: SimulatedTerminal,
        now_msc: Callable[[], int],
        sleep: Callable[[float], None],
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._terminal, self._now_msc, self._sleep = terminal, now_msc, sleep
        self._error: tuple[int, str] | None = None
        self._begun = False
        self._desk = Desk(terminal, now_msc, sleep, self.faults)

    def __getattr__(self, name: str) -> Any:
        if name.isupper():
            return getattr(mt5, name)
        raise AttributeError(f"module 'MetaTrader5' has no attribute {name!r}")

    def initialize(self, path: str = "", **chosen: Any) -> bool:
        """Begin a session."""
        self._begun = self.faults.connected
        if not self._begun:
            self._error = mt5.RES_E_INTERNAL_FAIL_CONNECT, "IPC initialize failed"
        return self._begun

    def shutdown(self) -> None:
        """End the session; the terminal goes on."""
        self._begun = False

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last failure."""
        return self._error or self._terminal.last_error()

    def version(self) -> tuple[int, int, str] | None:
        """Version, build, date of the build."""
        return (500, 6231, "21 Nov 2026") if self._answers() else None

    def terminal_info(self) -> Any:
        """TerminalInfo: also whether it is connected and may trade."""
        if not self._begun:
            return self._silent()
        return self._terminal.terminal_info()._replace(
            connected=self.faults.connected, trade_allowed=self.faults.autotrading
        )

    def account_info(self) -> Any:
        """AccountInfo."""
        return self._terminal.account_info() if self._answers() else None

    def symbols_total(self) -> int:
        """How many symbols there are."""
        return len(self._terminal.symbols_get())

    def symbols_get(self, group: str = "*") -> Any:
        """SymbolInfo of all symbols whose name fits."""
        if not self._answers():
            return None
        return tuple(
            self._symbol(info) for info in self._terminal.symbols_get() if _fits(info.name, group)
        )

    def symbol_info(self, symbol: str) -> Any:
        """SymbolInfo, or None."""
        info = self._terminal.symbol_info(symbol) if self._answers() else None
        return self._symbol(info) if info else None

    def symbol_info_tick(self, symbol: str) -> Any:
        """The newest tick, or None."""
        return self._terminal.symbol_info_tick(symbol) if self._answers() else None

    def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        """Show a symbol in Market Watch."""
        return self._answers() and self._terminal.symbol_info(symbol) is not None

    def copy_ticks_from(self, symbol: str, date_from: float, count: int, flags: int) -> Any:
        """Ticks from a time on."""
        if not self._answers():
            return None
        return self._terminal.copy_ticks_from(symbol, date_from, count, flags)

    def copy_ticks_range(self, symbol: str, date_from: float, date_to: float, flags: int) -> Any:
        """Ticks between two times."""
        if not self._answers():
            return None
        return self._terminal.copy_ticks_range(symbol, date_from, date_to, flags)

    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float) -> Any:
        """Margin in account currency, or None."""
        if not self._answers():
            return None
        return self._terminal.order_calc_margin(action, symbol, volume, price)

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult | None:
        """Send one request and wait for the broker, or meet the next fault of the script."""
        if not self._answers():
            return None
        answer = self._desk.order_send(request)
        if answer is None:
            self._error = mt5.RES_E_INTERNAL_FAIL_TIMEOUT, "no answer"
        return answer

    def order_check(self, request: Mapping[str, Any]) -> OrderCheckResult | None:
        """What the account would be if a request were done now."""
        return self._terminal.order_check(request) if self._answers() else None

    def positions_get(self, symbol: str = "", group: str = "*", ticket: int = 0) -> Any:
        """Open positions, by one filter."""
        if not self._answers():
            return None
        return tuple(
            p._replace(comment=self.faults.rewrite(p.comment))
            for p in self._terminal.positions_get()
            if symbol in ("", p.symbol) and ticket in (0, p.ticket) and _fits(p.symbol, group)
        )

    def positions_total(self) -> int:
        """How many positions are open."""
        return len(self.positions_get() or ())

    def orders_get(self, symbol: str = "", group: str = "*", ticket: int = 0) -> Any:
        """Working orders: what is left of those that fill bit by bit."""
        if not self._answers():
            return None
        return tuple(
            o._replace(comment=self.faults.rewrite(o.comment))
            for o in self._desk.working()
            if symbol in ("", o.symbol) and ticket in (0, o.ticket) and _fits(o.symbol, group)
        )

    def orders_total(self) -> int:
        """How many orders work."""
        return len(self.orders_get() or ())

    def history_orders_get(
        self,
        date_from: float = 0.0,
        date_to: float = _FAR_S,
        group: str = "*",
        ticket: int = 0,
        position: int = 0,
    ) -> Any:
        """Finished orders between two times, or of one order or position."""
        if not self._answers():
            return None
        orders = self._terminal.history_orders_get(date_from, self._seen_until(date_to))
        shown = [
            o._replace(comment=self.faults.rewrite(o.comment))
            for o in map(self._desk.finished, orders)
            if o is not None
            and ticket in (0, o.ticket)
            and position in (0, o.position_id)
            and _fits(o.symbol, group)
        ]
        return tuple(shown * (2 if self.faults.doubled else 1))

    def history_deals_get(
        self,
        date_from: float = 0.0,
        date_to: float = _FAR_S,
        group: str = "*",
        ticket: int = 0,
        position: int = 0,
    ) -> Any:
        """Deals between two times, or of one order (`ticket`) or position."""
        if not self._answers():
            return None
        deals = self._terminal.history_deals_get(date_from, self._seen_until(date_to))
        shown = [
            d._replace(comment=self.faults.rewrite(d.comment))
            for d in deals
            if ticket in (0, d.order) and position in (0, d.position_id) and _fits(d.symbol, group)
        ]
        return tuple(shown * (2 if self.faults.doubled else 1))

    def _symbol(self, info: Any) -> Any:
        if not info.filling_mode:
            return info
        return info._replace(
            filling_mode=self.faults.filling_modes, trade_stops_level=self.faults.stops_level,
            trade_freeze_level=self.faults.freeze_level,
        )  # fmt: skip

    def _seen_until(self, date_to: float) -> float:
        if not self.faults.history_lag_ms:
            return date_to
        return min(date_to, (self._now_msc() - self.faults.history_lag_ms) / 1000)

    def _answers(self) -> bool:
        """Whether the session stands; brings the account up to now."""
        now = self._now_msc()
        self._desk.advance(now)
        self._error = None
        if not self._begun or not self.faults.connected:
            self._silent()
            return False
        return True

    def _silent(self) -> None:
        code = mt5.RES_E_INTERNAL_FAIL_CONNECT if self._begun else mt5.RES_E_INTERNAL_FAIL
        self._error = code, "No IPC connection"


def _fits(name: str, group: str) -> bool:
    """Whether a name fits a group as the package writes it: `*,!EUR*`, first match last."""
    fits = False
    for pattern in group.split(","):
        if fnmatch.fnmatchcase(name, pattern.strip().removeprefix("!")):
            fits = not pattern.strip().startswith("!")
    return fits
