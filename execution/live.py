"""Execution in live mode: one thread trades, two others listen.

The trading thread owns engine, journal and terminal (which allows one thread only). It never
waits for the bus: what it tells goes through a thread of its own
(`execution/journal/publisher.py`).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from adapters.bus.base import Bus, Message, Subscriber
from adapters.mt5.venue.orders import Venue
from core.clock import Clock, SystemTimer, Timer
from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.signal import OrderSignal, Signal, SignalBatch
from core.sections import AdmissionSettings, RunSettings
from core.topics import RISK, SIGNALS
from core.trading_control import ControlCommand
from execution.breakers.breakers import Breakers
from execution.broker.poller import AccountPoller, PollerParts
from execution.heartbeat import HeartbeatPublisher
from execution.journal.delivered import Delivered
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.journal.position import Key
from execution.journal.publisher import JournalPublisher
from execution.journal.snapshot import Snapshot
from execution.journal.space import Room
from execution.journal.working import subject
from execution.lease import Lease
from execution.listeners import Listeners
from execution.order_path import exits
from execution.order_path.engine import Engine
from execution.order_path.quotes import LiveQuotes
from execution.replay_slices import decode
from execution.risk.admission import Admission, is_journalled
from execution.risk.checks import Denial
from execution.risk.limits_file import LimitsFile
from execution.risk.permission import Permission
from execution.risk.trading_state import TradingState
from execution.twin.twin import Twin

T = TypeVar("T")
_SIGNAL_WAIT_S = 0.01  # so late may a timer be
_TOGETHER = 500  # superseded signals in one append to the journal
_CATCH_UP = 10_000  # signals read again at start
_AT_ONCE = 10_000  # messages taken in one turn: exits are looked at between two, whatever comes


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
    outbox: Outbox
    watched: PollerParts
    timer: Timer = SystemTimer()
    limits: LimitsFile | None = None
    permission: Permission | None = None
    breakers: Breakers | None = None
    publisher: JournalPublisher | None = None
    twin: Twin | None = None
    lease: Lease | None = None
    admission: AdmissionSettings = AdmissionSettings()
    room: Room | None = None
    delivered: Delivered | None = None
    since: Snapshot | None = None  # what the journal was folded from, when not from its beginning


class Live:
    """Drives the engine by the machine's clock until stopped."""

    def __init__(
        self, parts: Parts, stop: threading.Event, heartbeat: HeartbeatPublisher | None = None
    ) -> None:
        self._p, self._stop, self._heartbeat = parts, stop, heartbeat
        self._announced = ""
        self._pending: list[tuple[Signal, int]] = []
        self._refused: list[tuple[Signal, Denial]] = []
        self._admission = Admission(parts.run, parts.admission, parts.clock, parts.timer)
        self._poller = AccountPoller(
            parts.watched, parts.timer, parts.limits, parts.breakers, heartbeat
        )
        self._listeners = Listeners(
            run=parts.run, bus=parts.bus, quotes=parts.quotes, trading=parts.trading, stop=stop,
            limits=parts.limits, breakers=parts.breakers, twin=parts.twin,
            permission=parts.permission, clock=parts.clock, market_risk=parts.engine.market_risk,
        )  # fmt: skip
        self._retries = exits.Retries(parts.quotes, parts.timer)
        self._signals: Subscriber | None = None
        self._known_until = 0
        self._newest: Message | None = None  # taken, and not yet told of as dealt with

    def run(self, ready: Callable[[], None] = lambda: None) -> bool:
        """Until told to stop; the order at hand is finished and published first."""
        self.open()
        self._listeners.start()
        if self._p.publisher:
            self._p.publisher.start()
        if self._p.twin:
            self._p.ledger.watchers.append(self._p.twin.observe)
            self._p.twin.start()
        self.recover()
        self._announce()
        ready()
        while not self._stop.is_set():
            self._keep_lease()
            self.turn()
        self._listeners.join()
        if self._signals:
            self._signals.close()
        self._poller.close()
        self._p.outbox.publish()
        self._p.outbox.close()
        if self._p.twin:
            self._p.twin.close()
        self._listeners.close()  # last: it may wait, and orders are told by now
        return True

    def _keep_lease(self) -> None:
        """Stop for good, halted until a person resumes, once another trades this account."""
        lease = self._p.lease
        if lease and lease.problem:
            now = self._p.clock.now_us()
            self._p.trading.trip(ControlCommand("halted", "lease", lease.problem, now))
            lease.check()

    def turn(self) -> None:
        """Once around: signals at hand, exits that are due, what the broker did, publishing."""
        for message in self._arriving():
            self._newest = message
            for signal in self._addressed(message):
                self._take(signal, message)
        self._refuse()
        self._handle()
        positions = self._p.ledger.book.positions.values()
        for coming in self._retries.due(positions, self._p.clock.now_us()):
            self._p.engine.exit(coming.position, coming.purpose)
        for coming in self._p.watched.stops.due():
            self._p.engine.exit(coming.position, coming.purpose)
        self._flatten()
        self._poller.poll()
        self._p.engine.risk.prepare()
        self._announce()
        self._p.outbox.publish()
        self._commit()
        if self._heartbeat:
            self._heartbeat.beat()

    def _arriving(self) -> Iterator[Message]:
        """What waits on the bus; nothing while the journal has room for exits only."""
        if self._signals and (self._p.room is None or self._p.room.for_signals()):
            yield from _waiting(self._signals)
        elif self._signals:
            self._p.timer.sleep(_SIGNAL_WAIT_S)

    def _commit(self) -> None:
        """Only now that what became of the signals is journalled (`publish` has synced it)."""
        if self._signals and self._newest:
            self._signals.commit(self._newest)
            self._newest = None

    def recover(self) -> None:
        """Settle and publish what an earlier run of this process left behind."""
        self._poller.recover()
        self._p.outbox.publish()

    def open(self) -> None:
        """Read signals from a little before now on: what came while we were away counts too."""
        last = self._p.bus.last(SIGNALS)
        newest = last.sequence if last else 0
        first_start = self._p.ledger.book.last is None
        # What came before we took the account over, another may have traded: at no later start
        # either is it ours, whatever the clock says of its age.
        foreign = self._p.ledger.book.foreign_until
        since = foreign + 1 if foreign <= newest else 1  # else of a bus that is no more
        taken_over = self._p.lease is not None and self._p.lease.taken_over
        start = newest + 1 if first_start or taken_over else max(since, newest + 1 - _CATCH_UP)
        self._signals, self._known_until = self._p.bus.subscribe(SIGNALS, start), newest
        if self._p.delivered:
            self._p.outbox.resume(self._p.delivered.mark(), self._p.since)

    def _addressed(self, message: Message) -> list[Signal]:
        content = decode(message)
        signals: list[object] = [content]
        if isinstance(content, SignalBatch):
            signals = list(content.signals)
        run = self._p.run
        return [
            signal
            for signal in signals
            if isinstance(signal, Signal)
            and (signal.run_id, signal.account) == (run.run_id, run.account)
        ]

    def _take(self, signal: Signal, message: Message) -> None:
        """Keep a signal for handling, unless it was handled before or is not taken up at all."""
        fresh = message.sequence > self._known_until
        known = self._p.ledger.book.received(signal.signal_id)
        if known and not fresh:
            return
        # What waited for us came while nobody counted.
        denial = None if known else self._admission.denial(signal, counted=fresh)
        if denial is None:
            self._pending.append((signal, message.received_ns))
        elif is_journalled(denial):
            self._refused.append((signal, denial))

    def _refuse(self) -> None:
        """Journal what is not taken up."""
        for batch in _batches(self._refused):
            self._p.engine.untraded.refuse(batch)
        self._refused.clear()
        self._admission.next_second()

    def _handle(self) -> None:
        """All signals at hand, in order; of one feed and strategy only the newest is traded."""
        pending, self._pending = self._pending, []
        now = self._p.clock.now_us()
        in_time = sorted(pending, key=lambda entry: min(entry[0].ts_event_us, now))
        newest = _newest(signal for signal, _ in in_time)
        replaced: dict[str, Signal] = {}
        for signal, began_ns in pending:
            superseded = signal.signal_id not in newest
            superseded = superseded or self._p.ledger.book.is_outdated(signal)
            known = signal.signal_id in replaced or self._p.ledger.book.received(signal.signal_id)
            if superseded and not known:
                replaced[signal.signal_id] = signal
                continue
            self._supersede(replaced)
            self._p.engine.on_signal(signal, began_ns)
        self._supersede(replaced)

    def _supersede(self, replaced: dict[str, Signal]) -> None:
        """Journal what waits, in order, and forget it."""
        for batch in _batches(list(replaced.values())):
            self._p.engine.untraded.supersede(batch)
        replaced.clear()

    def _flatten(self) -> None:
        """Close what is open when a halt or an event of the calendar says so.

        What the venue refused comes back as an exit.
        """
        for position in list(self._p.ledger.book.positions.values()):
            if not position.refused and self._p.engine.contexts.flattens(position.key.symbol):
                self._p.engine.exit(position, "news")
        order = self._p.trading.current
        if order.state != "halted" or order.positions != "flatten":
            return
        for position in list(self._p.ledger.book.positions.values()):
            if not position.refused:
                self._p.engine.exit(position, "flatten")

    def _announce(self) -> None:
        """Publish the trading state when it has changed, and would be the same after a kill."""
        order, is_written = self._p.trading.current, self._p.trading.is_written
        name = f"{self._p.run.account}.{order.ts_us}.{order.state}.{order.by}"
        if name == self._announced or not is_written:
            return
        self._announced, now, run = name, self._p.clock.now_us(), self._p.run
        state = RiskState(
            run_id=run.run_id, mode=run.mode, account=run.account, ts_event_us=order.ts_us or now,
            ts_init_us=now, state=order.state, by=order.by, reason=_policy(order),
        )  # fmt: skip
        self._p.bus.send(RISK, run.account, codec.encode(state))


def _policy(order: ControlCommand) -> str:
    """Why, and what becomes of open positions meanwhile."""
    if order.state != "halted":
        return order.reason
    flatten = order.positions == "flatten"
    return f"{order.reason} ({'positions are closed' if flatten else 'positions keep their stops'})"


def _newest(signals: Iterable[Signal]) -> set[str]:
    """Of signals in the order of time those that no newer one replaces, by id.

    Other terms for an order replace what was said of its terms before, not the order itself.
    """
    newest: dict[Key, tuple[str, str]] = {}
    for signal in signals:
        key, modifies = (
            subject(signal),
            isinstance(signal, OrderSignal) and signal.action == "modify",
        )
        newest[key] = (
            (newest.get(key, ("", ""))[0], signal.signal_id) if modifies else (signal.signal_id, "")
        )
    return {name for both in newest.values() for name in both}


def _batches(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _TOGETHER):
        yield items[start : start + _TOGETHER]


def _waiting(subscriber: Subscriber) -> Iterator[Message]:
    """The next message, waited for a little, and those that are there already."""
    wait_s = _SIGNAL_WAIT_S
    for _ in range(_AT_ONCE):
        message = subscriber.next(wait_s)
        if message is None:
            return
        yield message
        wait_s = 0.0
