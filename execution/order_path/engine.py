"""The order path: signal, context, size, risk, journal, send, event. It only sequences.

Every decision lives in a file of its own, and all of one signal's rest on one context. The same
engine runs live and in a replay; what differs (clock, quotes, what to do about an order without
an answer) is given to it.
"""

import time
from collections import deque
from collections.abc import Sequence

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
from execution.broker.order_changes import DOUBT, OrderChanges
from execution.broker.reconcile import Reconciler
from execution.broker.shared_position import SharedPositions
from execution.broker.working_orders import WorkingOrders
from execution.journal import events
from execution.journal.book import HELD, UNSENT
from execution.journal.identity import order_id
from execution.journal.ledger import Ledger
from execution.journal.position import Key, Position
from execution.journal.records import Record
from execution.journal.working import Working
from execution.order_path import sizing, waiting
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.sizing import Leg
from execution.order_path.target_size import TargetSize
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
            self._deny_duplicate(signal)
            return
        self._handle(signal, began_ns, fresh=True)

    def resume(self, signal: Signal) -> None:
        """Finish a signal that an earlier run of this process was working on."""
        self._handle(signal, time.perf_counter_ns(), fresh=False)

    def supersede(self, signals: Sequence[Signal]) -> None:
        """Journal signals that newer targets replaced before anything was sent.

        Together, for each append may wait for the disk once.
        """
        records: list[Record] = []
        for signal in signals:
            now = self._clock.now_us()
            quote = self._quotes.at(signal.source, signal.symbol, now)
            order = self._order(signal, _NO_LEG, quote, now)
            superseded = replace(order, kind=Kind.SUPERSEDED)
            records += (signal, events.received(order, signal), superseded)
        self._ledger.record(records)

    def refuse(self, refused: Sequence[tuple[Signal, Denial]]) -> None:
        """Journal signals that are not taken up (see `admission`), each once.

        Without the signal, and under a name of its own: what is refused supersedes nothing and
        does not make another signal with its id a duplicate. Its date is no date to store.
        """
        now, denials = self._clock.now_us(), dict[str, Record]()
        for signal, denial in refused:
            name = order_id(signal.signal_id, "refused")
            if name not in self._ledger.book.orders:
                order = self._order(signal, _NO_LEG, None, now)
                order = replace(order, order_id=name, ts_event_us=min(order.ts_event_us, now))
                denials[name] = self._denied_unseen(order, denial)
        self._ledger.record(denials.values())

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
            self._take_back(signal, fresh=fresh)
            return
        if isinstance(signal, OrderSignal) and signal.action == "modify":
            self._change(signal, fresh=fresh)
            return
        context = self.contexts.of(signal)
        legs, denial = self._plan(context)
        if isinstance(self._venue, SharedPositions):
            legs = self._split(self._venue, legs)
        order = self._order_of(context, legs[0] if legs else _NO_LEG)
        if not legs:
            self._without_order(context, order, denial, fresh=fresh)
            return
        preceding: list[Record] = [signal, events.received(order, signal)] if fresh else []
        for number, leg in enumerate(legs):
            if number:
                context = self.contexts.renewed(context)
                order = self._order_of(context, leg)
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

    def _take_back(self, signal: OrderSignal, *, fresh: bool) -> None:
        """End the order of a name: journalled first, then asked of the venue until it is gone."""
        name = self._ledger.book.named(signal)
        if fresh:
            order = self._order(signal, _NO_LEG, None, self._clock.now_us())
            text = f"cancels {signal.name}" if name else f"no order {signal.name!r} works"
            self._ledger.record([signal, events.received(order, signal, text)])
        if name is not None:
            self.working.take_back(name, "the strategy takes it back")
            if self._reconciler.repeatable:  # live, the poller looks
                self._reconciler.again()

    def _change(self, signal: OrderSignal, *, fresh: bool) -> None:
        """Give the order of a name other terms in place, where it may stand under them."""
        book = self._ledger.book
        name, hindrance = book.named(signal), self.changes.hindrance(signal)
        if name is None or hindrance:
            order = self._order(signal, _NO_LEG, None, self._clock.now_us())
            if fresh:
                self._ledger.record([signal, events.received(order, signal, hindrance)])
            return
        submitted = book.unsettled[name]
        terms = replace(signal, target=book.working[name].signal.target)
        context = self.contexts.of(terms)
        order = self._order_of(context, Leg(submitted.side, submitted.volume, 0))
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
        self.changes.note(name, terms, preceding)
        self._trading.catch_up()  # who halted meanwhile must see nothing sent after
        if self._trading.state != "active":
            self.changes.refuse(name, f"{self._trading.state} {UNSENT}")
            return
        self.changes.send(name)
        if self._reconciler.repeatable:  # live, the poller looks
            self._reconciler.again()

    def withdraw(self) -> bool:
        """Take back what may wait no longer; whether anything was asked for.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        return self.working.withdraw(self._withdrawal)

    def _withdrawal(self, name: str, working: Working) -> str:
        if not self._desk.sends(working.signal.strategy, simulated=self._simulated):
            return "its strategy sends nothing any more"
        if self.changes.in_doubt(name):
            return DOUBT
        return self._pre_trade_risk.withdrawal(name, working)

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
        held = self._ledger.book.of(_key_of(context.signal))
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
        may_open = self._desk.sends(order.strategy, simulated=self._simulated)
        return self.sends and (may_open or order.purpose != "entry")

    def _order_of(self, context: RiskContext, leg: Leg) -> OrderEvent:
        return self._order(context.signal, leg, context.quote, context.now_us)

    def _order(self, signal: Signal, leg: Leg, quote: Quote | None, now_us: int) -> OrderEvent:
        """What a signal wants of one leg, before anybody has checked it."""
        held = self._ledger.book.positions.get(leg.ticket)
        attempt = held.attempt if held else 0
        order = events.of_signal(signal, leg, attempt, quote, now_us, self._run)
        return order if leg.ticket else self._kept_tight(order)

    def _kept_tight(self, order: OrderEvent) -> OrderEvent:
        """On a netting account an entry's stop becomes the position's: it must not loosen it."""
        sign = 1 if order.side == "buy" else -1
        held = [p for p in self._ledger.book.of(_key_of(order)) if p.volume * sign > 0]
        stops = [stop for p in held for stop in (p.stop_price, p.moving) if stop]
        if not stops or not self._venue.netting:
            return order
        return replace(order, stop_price=sign * max(sign * s for s in (*stops, order.stop_price)))

    def _denied_unseen(self, order: OrderEvent, denial: Denial) -> OrderEvent:
        """DENIED without a look at the limits."""
        return events.denied(order, denial, self.contexts.version(order.symbol))

    def _deny_duplicate(self, signal: Signal) -> None:
        order = self._order(signal, _NO_LEG, None, self._clock.now_us())
        name = order_id(signal.signal_id, "duplicate")
        if name not in self._ledger.book.orders:  # a third copy adds nothing
            denial = Denial(DenialReason.DUPLICATE, 1.0, 2.0)
            self._ledger.record([self._denied_unseen(replace(order, order_id=name), denial)])


_NO_LEG = Leg("", 0.0, 0)


def _key_of(record: Signal | OrderEvent) -> Key:
    return Key(record.strategy, record.source, record.symbol)


def _under_override(order: OrderEvent, context: RiskContext) -> OrderEvent:
    """With the version that let it pass, when a person's override is part of that."""
    if order.purpose != "entry" or OVERRIDE not in context.limits_version:
        return order
    return replace(order, limits_version=context.limits_version)
