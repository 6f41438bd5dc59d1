"""The order path: signal, size, risk, journal, send, event. It only sequences.

Every decision lives in a file of its own. The same engine runs live and in a replay; what
differs (clock, quotes, what to do about an order without an answer) is given to it.
"""

import time
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.clock import Clock, SystemTimer, Timer
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.order import EventKind as Kind
from core.contracts.signal import Signal
from core.crashpoint import reach
from core.metrics import Histograms
from core.settings import Settings
from execution.broker.closings import Closings
from execution.broker.reconcile import Reconciler
from execution.journal import events
from execution.journal.book import HELD, Key, Position
from execution.journal.identity import order_id
from execution.journal.ledger import Ledger
from execution.journal.records import Record
from execution.order_path import sizing
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.sizing import Leg
from execution.order_path.target_size import TargetSize
from execution.risk.checks import Denial
from execution.risk.context import PreTradeRisk
from execution.risk.limits import of_settings
from execution.risk.limits_file import OVERRIDE, LimitsFile
from execution.risk.margin import Funds
from execution.risk.trading_state import TradingState


class Engine:
    """Handles one signal or exit at a time, in one thread.

    Args:
        sends: False in shadow mode: decisions are journalled, nothing is sent.
        limits: those in force; None for those of the settings.
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
        limits: LimitsFile | None = None,
        timer: Timer = SystemTimer(),  # noqa: B008 - it has no state
    ) -> None:
        self._run, self.sends, self._timer = settings.run, sends, timer
        self._clock, self._ledger, self._venue, self._quotes = clock, ledger, venue, quotes
        self._trading, self._reconciler = trading, reconciler
        limits = limits or LimitsFile(settings.run.account, of_settings(settings.execution))
        self._pre_trade_risk = PreTradeRisk(limits, clock, ledger, venue, quotes, trading, funds)
        self._size = TargetSize(self._pre_trade_risk, funds, clock)
        self.closings = Closings(self._run, clock, ledger, venue)
        self._finished: set[str] = set()  # reversals that were taken up again
        self.stages = Histograms()
        self.waits_ns: deque[int] = deque(maxlen=5)  # for the last answers of the venue

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
        made: list[Record] = []
        for signal in signals:
            quote = self._quote(signal.source, signal.symbol)
            asked = self._asked(signal, Leg("", 0.0, 0), quote)
            superseded = replace(asked, kind=Kind.SUPERSEDED)
            made += (signal, events.received(asked, signal), superseded)
        self._ledger.record(made)

    def refuse(self, refused: Sequence[tuple[Signal, Denial]]) -> None:
        """Journal signals that are not taken up (see `admission`), each once.

        Without the signal, and under a name of its own: what is refused supersedes nothing and
        does not make another signal with its id a duplicate. Its date is no date to store.
        """
        now, made = self._clock.now_us(), dict[str, Record]()
        for signal, denial in refused:
            name = order_id(signal.signal_id, "refused")
            if name not in self._ledger.book.orders:
                asked = self._asked(signal, Leg("", 0.0, 0), None)
                asked = replace(asked, order_id=name, ts_event_us=min(asked.ts_event_us, now))
                made[name] = self._denied(asked, denial)
        self._ledger.record(made.values())

    def exit(self, position: Position, purpose: str) -> bool:
        """Close a position; True when that is done. Waits while the feed is unsettled."""
        if not self.sends or self._ledger.book.is_blocked(*position.key[1:]):
            return False
        quote = self._quote(*position.key[1:])
        asked = events.of_exit(position, purpose, quote, self._clock.now_us(), self._run)
        return self._place([], asked, time.perf_counter_ns())

    def poll(self) -> None:
        """Journal what the broker did to our positions: stops, and closings by hand.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        self.closings.look()

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
        quote = self._quote(signal.source, signal.symbol)
        legs, denial = self._plan(signal, quote)
        asked = self._asked(signal, legs[0] if legs else Leg("", 0.0, 0), quote)
        if not legs:
            self._without_order(signal, asked, quote, denial, fresh=fresh)
            return
        before: list[Record] = [signal, events.received(asked, signal)] if fresh else []
        for number, leg in enumerate(legs):
            asked = self._asked(signal, leg, quote) if number else asked
            if self._was_done(asked):
                continue
            if not self._leg(before, asked, signal, leg, quote, began_ns):
                return
            before = []

    def _was_done(self, asked: OrderEvent) -> bool:
        """Whether a leg was filled before the restart that this signal is resumed after."""
        known = self._ledger.book.orders.get(asked.order_id)
        return known is not None and known.kind in (Kind.FILLED, Kind.CLOSED)

    def _leg(
        self,
        before: list[Record],
        asked: OrderEvent,
        signal: Signal,
        leg: Leg,
        quote: Quote | None,
        began_ns: int,
    ) -> bool:
        known = self._ledger.book.orders.get(asked.order_id)
        if known is not None and known.kind is not Kind.RECEIVED:
            return False  # denied or refused before a restart
        denial = self._denial(asked, signal, leg, quote)
        if denial is not None:
            self._ledger.record([*before, self._denied(asked, denial)])
            return False
        asked = self._under_override(asked)
        if not self.sends:
            self._ledger.record([*before, events.cancelled(asked, "shadow: nothing is sent")])
            return False
        return self._place(before, asked, began_ns)

    def _place(self, before: list[Record], asked: OrderEvent, began_ns: int) -> bool:
        """Journal, then send: in this order, whatever happens between."""
        journal_ns = time.perf_counter_ns()
        reach("execution.journal.before")
        take_profit = self._take_profit(before, asked)
        submitted = self._ledger.write([*before, asked])[-1]
        self._ledger.sync()
        reach("execution.journal.after")
        assert isinstance(submitted, OrderEvent)
        if self._halted_since(submitted):
            return False
        order = events.venue_order(submitted, self._pre_trade_risk.collar, take_profit)
        reach("execution.send.before")
        send_ns, sent_s = time.perf_counter_ns(), self._timer.seconds()
        try:
            answer = self._venue.send(order)
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

    def _take_profit(self, before: list[Record], asked: OrderEvent) -> float:
        """Of the signal at hand, which the book may not have yet."""
        at_hand = [r.take_profit for r in before if isinstance(r, Signal)]
        if at_hand and asked.purpose == "entry":
            return at_hand[0]
        return self._ledger.book.take_profit(asked)

    def _halted_since(self, submitted: OrderEvent) -> bool:
        """Journalling waits for the disk; who halted meanwhile must see no entry sent after."""
        if submitted.purpose != "entry":
            return False
        self._trading.catch_up()
        if self._trading.state == "active":
            return False
        text = f"{self._trading.state} before it was sent"
        now = self._clock.now_us()
        self._ledger.record([events.later(submitted, Kind.EXPIRED, now, text)])
        return True

    def _plan(self, signal: Signal, quote: Quote | None) -> tuple[tuple[Leg, ...], Denial | None]:
        rules = self._venue.specification(signal.source, signal.symbol)
        if rules is None:
            return (), Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
        if not -1.0 <= signal.target <= 1.0:  # also when it is not a number
            return (), Denial(DenialReason.OVERSIZED, 1.0, signal.target)
        key = Key(signal.strategy, signal.source, signal.symbol)
        held = self._ledger.book.of(key)
        lots = self._size.lots(signal, quote, held)
        if lots is None:
            legs = sizing.opposite(signal.target, held)
            return legs, Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
        made = sizing.plan(signal.target, lots, held, rules)
        if made.too_small:
            denial = Denial(DenialReason.BELOW_MINIMUM, rules.volume_min, abs(made.wanted))
            return made.legs, denial
        return made.legs, None

    def _without_order(
        self,
        signal: Signal,
        asked: OrderEvent,
        quote: Quote | None,
        denial: Denial | None,
        *,
        fresh: bool,
    ) -> None:
        """Nothing to trade: the target is held already, or it cannot be traded at all."""
        if not fresh:
            return
        if denial is None and signal.target:
            denial = self._pre_trade_risk.held(asked, signal, quote)
        if denial is None:
            self._ledger.record([signal, events.received(asked, signal, HELD)])
        else:
            received = events.received(asked, signal)
            self._ledger.record([signal, received, self._denied(asked, denial)])

    def _denial(
        self, asked: OrderEvent, signal: Signal, leg: Leg, quote: Quote | None
    ) -> Denial | None:
        if leg.ticket:  # reduces risk: only an unsettled order of the same feed holds it back
            blocked = self._ledger.book.is_blocked(signal.source, signal.symbol)
            return Denial(DenialReason.HALTED, 0.0, 1.0) if blocked else None
        return self._pre_trade_risk.entry(asked, signal, quote, sends=self.sends)

    def _under_override(self, asked: OrderEvent) -> OrderEvent:
        """With the version that let it pass, when a person's override is part of that."""
        version = self._pre_trade_risk.limits(asked.symbol)[1]
        if asked.purpose != "entry" or OVERRIDE not in version:
            return asked
        return replace(asked, limits_version=version)

    def _asked(self, signal: Signal, leg: Leg, quote: Quote | None) -> OrderEvent:
        held = self._ledger.book.positions.get(leg.ticket)
        now = self._clock.now_us()
        asked = events.of_signal(signal, leg, held.refused if held else 0, quote, now, self._run)
        return asked if leg.ticket else self._kept_tight(asked)

    def _kept_tight(self, asked: OrderEvent) -> OrderEvent:
        """On a netting account an entry's stop becomes the position's: it must not loosen it."""
        key = Key(asked.strategy, asked.source, asked.symbol)
        sign = 1 if asked.side == "buy" else -1
        held = [p for p in self._ledger.book.of(key) if p.volume * sign > 0]
        stops = [stop for p in held for stop in (p.stop_price, p.moving) if stop]
        if not stops or not self._venue.netting:
            return asked
        return replace(asked, stop_price=sign * max(sign * s for s in (*stops, asked.stop_price)))

    def _denied(self, asked: OrderEvent, denial: Denial) -> OrderEvent:
        return events.denied(asked, denial, self._pre_trade_risk.limits(asked.symbol)[1])

    def _deny_duplicate(self, signal: Signal) -> None:
        asked = self._asked(signal, Leg("", 0.0, 0), None)
        name = order_id(signal.signal_id, "duplicate")
        if name not in self._ledger.book.orders:  # a third copy adds nothing
            again = replace(asked, order_id=name)
            self._ledger.record([self._denied(again, Denial(DenialReason.DUPLICATE, 1.0, 2.0))])

    def _quote(self, source: str, symbol: str) -> Quote | None:
        return self._quotes.at(source, symbol, self._clock.now_us())
