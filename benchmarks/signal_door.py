"""The order path around a test door: real engine, journal, limits and quotes, a terminal of ours.

The door answers at once, or after as long as a broker would take; nothing of a bus is on the way.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import AccountInfo, OrderSendResult, TradeDeal, TradeRequest
from adapters.mt5.protocol.symbol_info import SymbolInfo
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.venue.orders import Venue
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.signal import Signal, signal_id
from core.contracts.tick import TICK
from core.sections import ExecutionSettings, RunSettings
from core.settings import Settings
from core.topics import Topic
from execution.broker.reconcile import Reconciler
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.order_path.engine import Engine
from execution.order_path.quotes import LiveQuotes
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import CachedFunds
from execution.risk.trading_state import TradingState

RUN = RunSettings("bench", "live", "bench", "bench")
SETTINGS = Settings(run=RUN, execution=ExecutionSettings(max_orders_per_minute=1_000_000))
SYMBOL, PRICE = "BTCUSD", 60_000.0
#: As shipped, but for how often: a bench sends more than any strategy.
_LIMITS = """\
version = "bench"
[limits]
max_orders_per_minute = inf
max_messages_per_second = inf
max_repeats = inf
"""
_DONE = OrderSendResult(
    retcode=mt5.TRADE_RETCODE_DONE, deal=0, order=0, volume=0.0, price=0.0, bid=0.0, ask=0.0,
    comment="", request_id=0, retcode_external=0, request=TradeRequest(),
)  # fmt: skip


class Door:
    """A terminal that notes when a request arrives and fills it at once."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.arrived_ns, self._slow_s = 0, slow_s
        self.busy = False  # an order is out at the broker
        self.entries: list[int] = []  # when each arrived
        self._deals: list[TradeDeal] = []

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the bench does not use {name}")

    def at(self, now_msc: int) -> None:
        """The clock is the machine's."""

    def symbols_get(self) -> tuple[SymbolInfo, ...]:
        """One symbol."""
        return (self.symbol_info(SYMBOL),)

    def symbol_info(self, symbol: str) -> SymbolInfo:
        """As the simulated terminal describes it."""
        return SymbolInfo(
            name=symbol, path=f"sim\\{symbol}", digits=2, point=0.01, volume_min=0.01,
            volume_max=50.0, volume_step=0.01, filling_mode=3,
            trade_mode=mt5.SYMBOL_TRADE_MODE_FULL,
        )  # fmt: skip

    def account_info(self) -> Any:
        """Plenty of free margin."""
        nothing = AccountInfo(*([0] * 24), *([""] * 4))  # type: ignore[arg-type]
        return nothing._replace(
            login=1, currency="USD", balance=1e9, equity=1e9, margin_free=1e9, currency_digits=2,
            margin_mode=mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING,
        )  # fmt: skip

    def order_calc_margin(self, *_: Any) -> float:
        """Little."""
        return 1.0

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult:
        """Fill."""
        self.arrived_ns = time.perf_counter_ns()
        position = request.get("position", 0)
        if not position:
            self.entries.append(self.arrived_ns)
        if self._slow_s:
            self.busy = True
            time.sleep(self._slow_s)
            self.busy = False
        number = len(self._deals) + 1
        self._deals.append(
            TradeDeal(
                ticket=number, order=number, time=0, time_msc=time.time_ns() // 1_000_000,
                type=request["type"], entry=mt5.DEAL_ENTRY_OUT if position else mt5.DEAL_ENTRY_IN,
                magic=request["magic"], position_id=position or number,
                reason=mt5.DEAL_REASON_EXPERT, volume=request["volume"], price=request["price"],
                commission=0.0, swap=0.0, profit=0.0, fee=0.0, symbol=SYMBOL,
                comment=request["comment"], external_id="",
            )
        )  # fmt: skip
        return _DONE._replace(order=number, deal=number)

    def history_deals_get(self, date_from: float, date_to: float) -> tuple[TradeDeal, ...]:
        """The newest."""
        return tuple(self._deals[-1:])


class Silent:
    """A publisher that drops everything: the bus is not on the way of an order."""

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Drop."""

    def flush(self, timeout_s: float = 60.0) -> None:
        """Nothing waits."""


def signal_bytes(number: int) -> bytes:
    """In and out, turn by turn, so that every signal makes one order."""
    now, target = time.time_ns() // 1000, float((number + 1) % 2)
    return codec.encode(
        Signal(
            signal_id=signal_id(RUN.run_id, "bench", "sim", SYMBOL, number, 0), run_id=RUN.run_id,
            mode=RUN.mode, account=RUN.account, strategy="bench", source="sim", symbol=SYMBOL,
            ts_event_us=now, ts_init_us=now, time_msc=now // 1000, seq=0, target=target,
            reference_price=PRICE, stop_price=PRICE * 0.98 if target else 0.0,
            horizon_us=now + 60_000_000, expires_us=now + 2_000_000, confidence=0.6,
            model="m" * 64, prediction_id="p" * 32,
        )
    )  # fmt: skip


def quoted() -> LiveQuotes:
    """Quotes of the one symbol, now."""
    quotes = LiveQuotes()
    requote(quotes)
    return quotes


def requote(quotes: LiveQuotes) -> None:
    """As if ticks had just come in."""
    ticks = np.zeros(300, TICK)
    ticks["time_msc"], ticks["bid"], ticks["ask"] = time.time_ns() // 1_000_000, PRICE, PRICE + 10
    quotes.feed("sim", SYMBOL, ticks)


class Rig:
    """The engine with its real parts around a door."""

    def __init__(self, directory: Path, slow_s: float = 0.0) -> None:
        self.journal, self.door, self.clock = (
            Journal(directory / "journal"),
            Door(slow_s),
            SystemClock(),
        )
        self.outbox = Outbox(Silent(), self.journal, RUN)  # type: ignore[arg-type]
        self.ledger = ledger = Ledger(self.journal, Book(), self.outbox)
        venue = Venue(as_terminal(self.door))
        self.control = directory / "control.json"
        self.trading, self.quotes = TradingState(self.control), quoted()
        reconciler = Reconciler(ledger, venue, self.clock, 0.005, repeatable=False)
        funds = CachedFunds(venue, self.clock)
        (directory / "limits.toml").write_text(_LIMITS)
        limits = LimitsFile(RUN.account, of_settings(SETTINGS.execution), directory)
        self.engine = Engine(
            settings=SETTINGS, clock=self.clock, ledger=ledger, venue=venue, quotes=self.quotes,
            trading=self.trading, reconciler=reconciler, funds=funds, limits=limits,
        )  # fmt: skip

    def why(self) -> str:
        """What became of the newest order."""
        last = self.ledger.book.last
        return f"{last.kind} {last.reason}" if last else "nothing is journalled"


def as_terminal(door: Door) -> Terminal:
    """What an order needs of a terminal."""
    terminal: Any = door  # it has what an order needs, not the whole protocol
    typed: Terminal = terminal
    return typed
