"""The order path: signal, context, size, risk, journal, send, event. It only sequences.

Every decision lives in a file of its own, and all of one signal's rest on one context. The same
engine runs live and in a replay; what differs (clock, quotes, what to do about an order without
an answer) is given to it.
"""

import time
from collections import deque

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.clock import Clock, SystemTimer, Timer
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.order import EventKind as Kind
from core.contracts.signal import OrderSignal, Signal
from core.crashpoint import reach
from core.desk import Desk, one_alone
from core.metrics import Histograms
from core.settings import Settings
from execution.broker.closings import Closings
from execution.broker.order_changes import OrderChanges
from execution.broker.reconcile import Reconciler
from execution.broker.shared_position import SharedPositions
from execution.broker.working_orders import WorkingOrders
from execution.journal import events
from execution.journal.book import HELD, UNSENT
from execution.journal.ledger import Ledger
from execution.journal.position import Position
from execution.journal.records import Record
from execution.order_path import sizing, waiting
from execution.order_path.changing import Changing
from execution.order_path.quotes import Quotes
from execution.order_path.sizing import Leg
from execution.order_path.target_size import TargetSize
from execution.order_path.untraded import UntradedSignals
from execution.order_path.wanted import NO_LEG, WantedOrders, key_of
from execution.risk.checks import Denial, RiskContext
from execution.risk.client_file import ClientRule
from execution.risk.context import Contexts
from execution.risk.exposure import Exposure
from execution.risk.limits import of_settings
from execution.risk.limits_file import OVERRIDE, LimitsFile
from execution.risk.margin import Funds
from execution.risk.news import News
from execution.risk.portfolio_risk import MarketFigures, uses_figures
from execution.risk.pre_trade import PreTradeRisk
from execution.risk.trading_state import TradingState


class Engine:
    """Handles one signal or exit at a time, in one thread.

    Args:
        sends: False in shadow mode: decisions are journalled, nothing is sent.
        desk: whose signals come, and which of them are sent; None: one strategy has the account.
        limits: those in force; None for those of the settings.
        news: what the calendar says; None: nothing.
        clients: what clients' files say; None: nothing, and then none may trade.
        closings: takes up what the broker did; None: where no position is several strategies'.
        timer: measures how long the venue takes.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ledger: Ledger,
        venue: Venue,
        quotes: Quotes,
        trading: TradingState,
        reconciler: Reconciler,
        funds: Funds,
        *,
        sends: bool = True,
        desk: Desk | None = None,
        limits: LimitsFile | None = None,
        news: News | None = None,
        clients: ClientRule | None = None,
        closings: Closings | None = None,
        timer: Timer = SystemTimer(),  # noqa: B008 - it has no state
    ) -> None:
        self._run, self.sends, self._timer = settings.run, sends, timer
        self._desk = desk or one_alone(settings.run.strategy)
        self._simulated = settings.terminal.kind == "simulated"
        self._clock, self._ledger, self._venue, self._quotes = clock, ledger, venue, quotes
        self._trading, self._reconciler = trading, reconciler
        limits = limits or LimitsFile(settings.run.account, of_settings(settings.execution))
        self.market_risk = MarketFigures(self._run.run_id)  # the driver feeds it
        self.contexts = Contexts(
            limits, clock, ledger, venue, quotes,
            market=self.market_risk, desk=self._desk, news=news, clients=clients,
        )  # fmt: skip
        exposure = Exposure(ledger, venue, quotes, funds)
        self._pre_trade_risk = PreTradeRisk(
            self.contexts, limits, ledger, venue, trading, funds, exposure,
            market=self.market_risk, desk=self._desk,
        )  # fmt: skip
        self._size = TargetSize(exposure, funds, self._desk)
        self.needs_figures = uses_figures(limits.rules.book) or self._desk.uses_regimes
        self.closings = closings or Closings(self._run, clock, ledger, venue)
        self.changes = OrderChanges(
            clock, ledger, venue, repeatable=reconciler.repeatable, timer=timer
        )
        self.working = WorkingOrders(clock, ledger, venue, repeatable=reconciler.repeatable)
        self._wanted = WantedOrders(ledger, venue, settings.run)
        self.untraded = UntradedSignals(clock, ledger, quotes, self.contexts, self._wanted)
        self.changing = Changing(
            clock, ledger, quotes, trading, reconciler,
            pre_trade_risk=self._pre_trade_risk, contexts=self.contexts, wanted=self._wanted,
            size=self._size, changes=self.changes, working=self.working,
            sends=self._opens, denial=self._denial,
        )  # fmt: skip
        if isinstance(venue, SharedPositions):
            venue.state_to_open = self._state_to_open
        self._finished: set[str] = set()  # reversals that were taken up again
        self.stages = Histograms()
        self.waits_ns: deque[int] = deque(maxlen=5)  # for the last answers of the venue

    @property
    def risk(self) -> PreTradeRisk:
        """What orders are checked by."""
        return self._pre_trade_risk

    def on_signal(self, signal: Signal, began_ns: int = 0) -> None:
        """Bring the position to the signal's target; a signal seen before is denied.

        `began_ns`: time.perf_counter_ns() when the signal arrived, for the latency stages.
        """
        began_ns = began_ns or time.perf_counter_ns()
        if self._ledger.book.received(signal.signal_id):
            self.untraded.deny_duplicate(signal)
            return
        self._handle(signal, began_ns, fresh=True)

    def resume(self, signal: Signal) -> None:
        """Finish a signal that an earlier run of this process was working on."""
        self._handle(signal, time.perf_counter_ns(), fresh=False)

    def exit(self, position: Position, purpose: str) -> bool:
        """Close a position; True when that is done. Waits while the feed is unsettled."""
        feed = position.key[1:]
        if not self.sends or self._ledger.book.is_blocked(*feed):
            return False
        now = self._clock.now_us()
        order = events.of_exit(position, purpose, self._quotes.at(*feed, now), now, self._run)
        if isinstance(self._venue, SharedPositions):  # what is left follows as an exit of its own
            order = replace(order, volume=self._venue.split(position, order.volume)[0])
        return self._place([], order, self.contexts.collar, time.perf_counter_ns())

    def poll(self) -> None:
        """Journal what the broker did to our positions: stops, and closings by hand.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        self.closings.poll()

    def finish(self) -> None:
        """Go on with reversals that stopped between closing and opening, or say why not.

        A restart comes between two legs, or a closing whose answer was lost is found. What is
        no longer wanted is denied like any late signal: journalled, never silent.
        """
        for signal in self._ledger.book.half_turned():
            if signal.signal_id not in self._finished:
                self._finished.add(signal.signal_id)
                self.resume(signal)

    def _handle(self, signal: Signal, began_ns: int, *, fresh: bool) -> None:
        if isinstance(signal, OrderSignal) and signal.action == "cancel":
            self.changing.take_back(signal, fresh=fresh)
            return
        if isinstance(signal, OrderSignal) and signal.action == "modify":
            self.changing.change(signal, fresh=fresh)
            return
        context = self.contexts.of(signal)
        legs, denial = self._plan(context)
        if isinstance(self._venue, SharedPositions):
            legs = self._split(self._venue, legs)
        order = self._wanted.under(context, legs[0] if legs else NO_LEG)
        if not legs:
            self._without_order(context, order, denial, fresh=fresh)
            return
        preceding: list[Record] = [signal, events.received(order, signal)] if fresh else []
        for number, leg in enumerate(legs):
            if number:
                context = self.contexts.renewed(context)
                order = self._wanted.under(context, leg)
            if self._was_done(order):
                continue
            if not self._leg(preceding, order, context, began_ns):
                return
            preceding = []

    def _split(self, venue: SharedPositions, legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
        """Closings of what several strategies share in parts; see there."""
        held = self._ledger.book.positions
        return tuple(
            leg._replace(volume=volume)
            for leg in legs
            for volume in (
                venue.split(held[leg.ticket], leg.volume) if leg.ticket else [leg.volume]
            )
        )

    def _was_done(self, order: OrderEvent) -> bool:
        """Whether a leg was filled before the restart that this signal is resumed after."""
        known = self._ledger.book.orders.get(order.order_id)
        return known is not None and known.kind in (Kind.FILLED, Kind.CLOSED)

    def _leg(
        self, preceding: list[Record], order: OrderEvent, context: RiskContext, began_ns: int
    ) -> bool:
        known = self._ledger.book.orders.get(order.order_id)
        if known is not None and known.kind is not Kind.RECEIVED:
            return False  # denied or refused before a restart
        denial = self._denial(context, order)
        if denial is not None:
            denied = events.denied(order, denial, context.limits_version)
            self._ledger.record([*preceding, denied])
            return False
        order = _under_override(order, context)
        if not self._is_sent(order):
            # Behind a closing leg, which was sent, nothing has received this order yet.
            preceding = preceding or [events.received(order, context.signal)]
            self._ledger.record([*preceding, events.cancelled(order, "shadow: nothing is sent")])
            return False
        signal = context.signal
        waits = signal if isinstance(signal, OrderSignal) else None
        return self._place(preceding, order, context.collar, began_ns, waits)

    def _place(
        self, preceding: list[Record], order: OrderEvent, collar: float, began_ns: int,
        waits: OrderSignal | None = None,
    ) -> bool:  # fmt: skip
        """Journal, then send: in this order, whatever happens between."""
        journal_ns = time.perf_counter_ns()
        reach("execution.journal.before")
        take_profit = self._take_profit(preceding, order)
        submitted = self._ledger.write([*preceding, order])[-1]
        self._ledger.sync()
        reach("execution.journal.after")
        assert isinstance(submitted, OrderEvent)
        if self._halted_since(submitted):
            return False
        request = events.venue_order(submitted, collar, take_profit, waits)
        reach("execution.send.before")
        send_ns, sent_s = time.perf_counter_ns(), self._timer.seconds()
        try:
            answer = self._venue.send(request)
        finally:
            self._ledger.fold()
        reach("execution.send.after")
        answered_ns = time.perf_counter_ns()
        self.waits_ns.append(round((self._timer.seconds() - sent_s) * 1e9))
        self.stages.record("risk", journal_ns - began_ns)
        self.stages.record("journal", send_ns - journal_ns)
        self.stages.record("send", answered_ns - send_ns)
        self.stages.record("signal_to_order", send_ns - began_ns)
        return self._reconciler.settle(submitted, answer)

    def _take_profit(self, preceding: list[Record], order: OrderEvent) -> float:
        """Of the signal at hand, which the book may not have yet."""
        at_hand = [r.take_profit for r in preceding if isinstance(r, Signal)]
        if at_hand and order.purpose == "entry":
            return at_hand[0]
        return self._ledger.book.take_profit(order)

    def _halted_since(self, submitted: OrderEvent) -> bool:
        """Journalling waits for the disk; who halted meanwhile must see no entry sent after."""
        if submitted.purpose != "entry":
            return False
        self._trading.catch_up()
        if self._trading.state == "active":
            return False
        text = f"{self._trading.state} {UNSENT}"
        now = self._clock.now_us()
        self._ledger.record([events.later(submitted, Kind.EXPIRED, now, text)])
        return True

    def _state_to_open(self) -> str:
        """Why nothing may open now; "" while trading is active."""
        self._trading.catch_up()
        return "" if self._trading.state == "active" else self._trading.state

    def _plan(self, context: RiskContext) -> tuple[tuple[Leg, ...], Denial | None]:
        if isinstance(context.signal, OrderSignal):
            return waiting.plan(
                context, context.signal, self._ledger.book, self._venue, self._quotes, self._size
            )
        specification, target = context.specification, context.signal.target
        if specification is None:
            return (), Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
        if not -1.0 <= target <= 1.0:  # also when it is not a number
            return (), Denial(DenialReason.OVERSIZED, 1.0, target)
        held = self._ledger.book.of(key_of(context.signal))
        lots = self._size.lots(context, held)
        if lots is None:
            legs = sizing.opposite(target, held)
            return legs, Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
        plan = sizing.plan(target, lots, held, specification)
        if plan.too_small:
            least = specification.volume_min
            return plan.legs, Denial(DenialReason.BELOW_MINIMUM, least, abs(plan.wanted))
        return plan.legs, None

    def _without_order(
        self, context: RiskContext, order: OrderEvent, denial: Denial | None, *, fresh: bool
    ) -> None:
        """Nothing to trade: the target is held already, or it cannot be traded at all."""
        if not fresh:
            return
        signal = context.signal
        if denial is None and signal.target:
            denial = self._pre_trade_risk.held(context, order)
        if denial is None:
            self._ledger.record([signal, events.received(order, signal, HELD)])
        else:
            denied = events.denied(order, denial, context.limits_version)
            self._ledger.record([signal, events.received(order, signal), denied])

    def _denial(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        if order.purpose != "entry":  # less risk: only an unsettled order of the feed holds it back
            blocked = self._ledger.book.is_blocked(order.source, order.symbol)
            return Denial(DenialReason.HALTED, 0.0, 1.0) if blocked else None
        if not isinstance(context.signal, OrderSignal) and self._waits_beside(order):
            return Denial(DenialReason.ORDER_WORKS, 0.0, 1.0)
        return self._pre_trade_risk.entry(context, order, sends=self._is_sent(order))

    def _waits_beside(self, order: OrderEvent) -> bool:
        """Whether an order of the same strategy waits in the feed: a target is the whole position,
        and would be exceeded when that fills.
        """
        waits = self._ledger.book.waiting(order.source, order.symbol)
        return any(e.strategy == order.strategy for e in waits)

    def _is_sent(self, order: OrderEvent) -> bool:
        """A strategy in shadow opens nothing; what it held before that is still closed."""
        return self.sends and (self._opens(order.strategy) or order.purpose != "entry")

    def _opens(self, strategy: str) -> bool:
        """Whether entries of a strategy are sent."""
        return self._desk.sends(strategy, simulated=self._simulated)


def _under_override(order: OrderEvent, context: RiskContext) -> OrderEvent:
    """With the version that let it pass, when a person's override is part of that."""
    if order.purpose != "entry" or OVERRIDE not in context.limits_version:
        return order
    return replace(order, limits_version=context.limits_version)
