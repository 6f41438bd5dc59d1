"""What a signal does to an order of its strategy that waits: takes it back, gives it other terms.

What may wait no longer is taken back without one.
"""

from collections.abc import Callable

from msgspec.structs import replace

from core.clock import Clock
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal
from execution.broker.order_changes import DOUBT, OrderChanges
from execution.broker.reconcile import Reconciler
from execution.broker.working_orders import WorkingOrders
from execution.journal import events
from execution.journal.book import UNSENT
from execution.journal.ledger import Ledger
from execution.journal.records import Record
from execution.journal.working import Working
from execution.order_path import waiting
from execution.order_path.quotes import Quotes
from execution.order_path.sizing import Leg
from execution.order_path.target_size import TargetSize
from execution.order_path.wanted import NO_LEG, WantedOrders
from execution.risk.checks import Denial, RiskContext
from execution.risk.context import Contexts
from execution.risk.pre_trade import PreTradeRisk
from execution.risk.trading_state import TradingState


class Changing:
    """Asks for it: journalled first. `denial`: why an order of a signal may not go, or None."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        quotes: Quotes,
        trading: TradingState,
        reconciler: Reconciler,
        *,
        pre_trade_risk: PreTradeRisk,
        contexts: Contexts,
        wanted: WantedOrders,
        size: TargetSize,
        changes: OrderChanges,
        working: WorkingOrders,
        sends: Callable[[str], bool],
        denial: Callable[[RiskContext, OrderEvent], Denial | None],
    ) -> None:
        self._clock, self._ledger, self._quotes = clock, ledger, quotes
        self._trading, self._reconciler, self._contexts = trading, reconciler, contexts
        self._pre_trade_risk, self._wanted, self._size = pre_trade_risk, wanted, size
        self._changes, self._working, self._sends, self._denial = changes, working, sends, denial

    def take_back(self, signal: OrderSignal, *, fresh: bool) -> None:
        """End the order of a name: journalled first, then asked of the venue until it is gone."""
        name = self._ledger.book.named(signal)
        if fresh:
            order = self._wanted.of(signal, NO_LEG, None, self._clock.now_us())
            text = f"cancels {signal.name}" if name else f"no order {signal.name!r} works"
            self._ledger.record([signal, events.received(order, signal, text)])
        if name is not None:
            self._working.take_back(name, "the strategy takes it back")
            if self._reconciler.repeatable:  # live, the poller looks
                self._reconciler.again()

    def change(self, signal: OrderSignal, *, fresh: bool) -> None:
        """Give the order of a name other terms in place, where it may stand under them."""
        book = self._ledger.book
        name, hindrance = book.named(signal), self._changes.hindrance(signal)
        if name is None or hindrance:
            order = self._wanted.of(signal, NO_LEG, None, self._clock.now_us())
            if fresh:
                self._ledger.record([signal, events.received(order, signal, hindrance)])
            return
        submitted = book.unsettled[name]
        terms = replace(signal, target=book.working[name].signal.target)
        context = self._contexts.of(terms)
        order = self._wanted.under(context, Leg(submitted.side, submitted.volume, 0))
        known = book.orders.get(order.order_id)
        if known is not None and known.kind is not Kind.RECEIVED:
            return  # denied before a restart
        text = f"changes {signal.name}"
        preceding: list[Record] = [signal, events.received(order, signal, text)] if fresh else []
        with book.without(name):
            denial = waiting.unfit_terms(
                context, terms, submitted, book, self._quotes, self._size
            ) or self._denial(context, order)  # fmt: skip
        if denial is not None:
            denied = events.denied(order, denial, context.limits_version)
            self._ledger.record([*preceding, denied])
            return
        self._ask_for_terms(name, terms, preceding)

    def _ask_for_terms(self, name: str, terms: OrderSignal, preceding: list[Record]) -> None:
        self._changes.note(name, terms, preceding)
        self._trading.catch_up()  # who halted meanwhile must see nothing sent after
        if self._trading.state != "active":
            self._changes.refuse(name, f"{self._trading.state} {UNSENT}")
            return
        self._changes.send(name)
        if self._reconciler.repeatable:  # live, the poller looks
            self._reconciler.again()

    def withdraw(self) -> bool:
        """Take back what may wait no longer; whether anything was asked for.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        stopped_us = 0 if self._trading.state == "active" else self._trading.current.ts_us
        return self._working.withdraw(self._withdrawal, stopped_us)

    def _withdrawal(self, name: str, working: Working) -> str:
        if not self._sends(working.signal.strategy):
            return "its strategy sends nothing any more"
        if self._changes.in_doubt(name):
            return DOUBT
        return self._pre_trade_risk.withdrawal(name, working)
