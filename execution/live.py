"""Execution in live mode: one thread trades, two others listen.

The trading thread owns engine, journal and terminal (which allows one thread only). Ticks and
control have threads of their own, so that quotes are fresh and a halt is seen at once, also
while an order is out at the broker.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from adapters.bus.base import Bus, Message, Subscriber
from adapters.mt5.execution import Account, Venue
from core.clock import Clock, SystemTimer, Timer
from core.contracts import codec
from core.contracts.operations import Control, RiskState
from core.contracts.order import AccountState
from core.contracts.signal import Signal, SignalBatch
from core.contracts.tick import TickBatch
from core.errors import UnavailableError
from core.settings import RunSettings
from core.topics import CONTROL, RISK, SIGNALS, TICKS
from execution import exits
from execution.breakers import Breakers
from execution.engine import Engine
from execution.funds import RememberedFunds
from execution.heartbeat import Heart
from execution.ledger import Ledger
from execution.limits_file import LimitsFile
from execution.outbox import Outbox
from execution.quotes import LiveQuotes
from execution.reconcile import Reconciler
from execution.slices import decode
from execution.trading_state import TradingState

_log = logging.getLogger(__name__)
_SIGNAL_WAIT_S = 0.01  # so late may a timer be
_CONTROL_WAIT_S = 0.01  # so late may a halt by file be seen
_POLL_S = 0.2
_ACCOUNT_S = 1.0
_CATCH_UP = 10_000  # signals read again at start


class Parts(NamedTuple):
    """What the driver drives."""

    run: RunSettings
    clock: Clock
    bus: Bus
    ledger: Ledger
    venue: Venue
    quotes: LiveQuotes
    trading: TradingState
    engine: Engine
    reconciler: Reconciler
    outbox: Outbox
    funds: RememberedFunds
    timer: Timer = SystemTimer()
    limits: LimitsFile | None = None
    breakers: Breakers | None = None


class Live:
    """Drives the engine by the machine's clock until stopped."""

    def __init__(self, parts: Parts, stop: threading.Event, heart: Heart | None = None) -> None:
        self._p, self._stop, self._heart = parts, stop, heart
        self._announced = ""
        self._pending: list[tuple[Signal, int]] = []
        self._account: Account | None = None
        self._poll = _Every(_POLL_S, parts.timer)
        self._look = _Every(_ACCOUNT_S, parts.timer)
        self._signals: Subscriber | None = None
        self._known_until = 0
        self._away = False  # the terminal, when last asked

    def run(self, ready: Callable[[], None] = lambda: None) -> bool:
        """Until told to stop; the order at hand is finished and published first."""
        self.open()
        listeners = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("ticks", self._listen_ticks), ("control", self._listen_control))
        ]
        for thread in listeners:
            thread.start()
        self.recover()
        self._announce()
        ready()
        while not self._stop.is_set():
            self.turn()
        for thread in listeners:
            thread.join()
        if self._signals:
            self._signals.close()
        self._p.outbox.publish()
        return True

    def turn(self) -> None:
        """Once around: signals at hand, exits that are due, what the broker did, publishing."""
        for message in _waiting(self._signals) if self._signals else ():
            for signal in self._addressed(message):
                known = self._p.ledger.book.received(signal.signal_id)
                if message.sequence > self._known_until or not known:
                    self._pending.append((signal, message.received_ns))
        self._handle()
        for coming in exits.due(self._p.ledger.book.positions.values(), self._p.clock.now_us()):
            if not coming.waits or self._quoted_since(coming):
                self._p.engine.exit(coming.position, coming.purpose)
        self._flatten()
        if self._poll.is_due():
            self._watch()
        self._announce()
        self._p.outbox.publish()
        if self._heart:
            self._heart.beat()

    def recover(self) -> None:
        """Settle and publish what an earlier run of this process left behind."""
        self._p.reconciler.at_start()
        self._p.engine.poll()
        self._p.outbox.publish()

    def open(self) -> None:
        """Read signals from a little before now on: what came while we were away counts too."""
        last = self._p.bus.last(SIGNALS)
        newest = last.sequence if last else 0
        first_start = self._p.ledger.book.last is None
        start = newest + 1 if first_start else max(1, newest + 1 - _CATCH_UP)
        self._signals, self._known_until = self._p.bus.subscribe(SIGNALS, start), newest

    def _addressed(self, message: Message) -> list[Signal]:
        found = decode(message)
        signals: list[object] = [found]
        if isinstance(found, SignalBatch):
            signals = list(found.signals)
        run = self._p.run
        return [
            signal
            for signal in signals
            if isinstance(signal, Signal)
            and (signal.run_id, signal.account) == (run.run_id, run.account)
        ]

    def _handle(self) -> None:
        """All signals at hand, in order; of one feed and strategy only the newest is traded."""
        pending, self._pending = self._pending, []
        in_time = sorted(pending, key=lambda found: found[0].ts_event_us)
        newest = {(s.strategy, s.source, s.symbol): s.signal_id for s, _ in in_time}
        for signal, began_ns in pending:
            superseded = newest[signal.strategy, signal.source, signal.symbol] != signal.signal_id
            superseded = superseded or self._p.ledger.book.is_outdated(signal)
            if superseded and not self._p.ledger.book.received(signal.signal_id):
                self._p.engine.supersede(signal)
            else:
                self._p.engine.on_signal(signal, began_ns)

    def _flatten(self) -> None:
        """Close what is open when a halt says so; what the venue refused comes back as an exit."""
        order = self._p.trading.current
        if order.state != "halted" or order.positions != "flatten":
            return
        for position in list(self._p.ledger.book.positions.values()):
            if not position.refused:
                self._p.engine.exit(position, "flatten")

    def _quoted_since(self, coming: exits.Exit) -> bool:
        key = coming.position.key
        quote = self._p.quotes.at(key.source, key.symbol, self._p.clock.now_us())
        return quote is not None and quote.time_us >= coming.due_us

    def _watch(self) -> None:
        """What the broker did by itself; a terminal that is away is asked again later."""
        try:
            self._p.reconciler.again()
            self._p.engine.poll()
            if self._look.is_due() or self._away:  # only an answer shows that it is back
                self._p.funds.refresh()
                self._see_account()
            self._tell_health()
            self._away = False
        except UnavailableError:
            self._away = True
            if self._heart:
                self._heart.degraded("the terminal does not answer")
        if self._p.breakers:
            self._p.breakers.look(self._p.engine.waits_ns, away=self._away)

    def _tell_health(self) -> None:
        problem = self._p.limits.problem if self._p.limits else ""
        if self._heart and problem:
            self._heart.degraded(problem)
        elif self._heart:
            self._heart.well()

    def _see_account(self) -> None:
        seen = self._p.venue.account()
        self._p.ledger.activity.account(seen.equity, self._p.clock.now_us())
        if seen == self._account:
            return
        self._account = seen
        run, now, last = self._p.run, self._p.clock.now_us(), self._p.ledger.book.last
        state = AccountState(
            run.run_id, run.mode, run.account, now, now, last.seq if last else 0, seen.currency,
            seen.balance, seen.equity, seen.margin,
        )  # fmt: skip
        self._p.outbox.add(state, self._p.ledger.book)

    def _announce(self) -> None:
        """Publish the trading state when it has changed."""
        order = self._p.trading.current
        name = f"{self._p.run.account}.{order.ts_us}.{order.state}.{order.by}"
        if name == self._announced:
            return
        self._announced, now, run = name, self._p.clock.now_us(), self._p.run
        state = RiskState(
            run.run_id, run.mode, run.account, order.ts_us or now, now, order.state, order.by,
            order.reason,
        )  # fmt: skip
        self._p.bus.send(RISK, run.account, codec.encode(state))

    def _listen_ticks(self) -> None:
        subscriber = self._p.bus.subscribe(TICKS, 0)
        while not self._stop.is_set():
            message = subscriber.next(0.2)
            if message:
                self.take_ticks(message)
        subscriber.close()

    def take_ticks(self, message: Message) -> None:
        """Make quotes of a message; called by a thread of its own."""
        found = decode(message)
        if isinstance(found, TickBatch) and found.run_id == self._p.run.run_id:
            self._take(found)

    def _take(self, batch: TickBatch) -> None:
        try:
            ticks = batch.ticks
        except ValueError as error:  # torn: without the next batches quotes would only grow old
            _log.warning("skipped ticks of %s %s: %s", batch.source, batch.symbol, error)
            return
        self._p.quotes.feed(batch.source, batch.symbol, ticks)
        if self._p.breakers:
            self._p.breakers.ticks(batch.source, batch.symbol, ticks)

    def _listen_control(self) -> None:
        subscriber = self._p.bus.subscribe(CONTROL, 0)
        while not self._stop.is_set():
            message = subscriber.next(_CONTROL_WAIT_S)
            found = decode(message) if message else None
            if isinstance(found, Control):
                self._p.trading.obey(found)
            self._p.trading.poll()
            if self._p.limits:
                self._p.limits.poll()
        subscriber.close()


class _Every:
    """True once per interval."""

    def __init__(self, interval_s: float, timer: Timer) -> None:
        self._interval_s, self._timer, self._due = interval_s, timer, float("-inf")

    def is_due(self) -> bool:
        now = self._timer.seconds()
        if now < self._due:
            return False
        self._due = now + self._interval_s
        return True


def _waiting(subscriber: Subscriber) -> Iterator[Message]:
    """The next message, waited for a little, and all that are there already."""
    message = subscriber.next(_SIGNAL_WAIT_S)
    while message is not None:
        yield message
        message = subscriber.next(0.0)
