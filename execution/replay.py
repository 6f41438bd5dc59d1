"""Execution in a replay: slice by slice, every event at its market time.

Signals and exits of a slice are handled in the order of (time, feed, id); quotes, clock and
simulated terminal all stand at that time. A run killed anywhere goes on where its journal ends
and journals the same events as one that was not: what is journalled is not done again, and an
order that was submitted is looked for at the venue first.
"""

import itertools
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from adapters.mt5.venue.orders import Venue
from core.clock import ManualClock
from core.contracts.order import AccountState, ExecutionMarker
from core.contracts.risk import GRACE_US, MarketRisk
from core.contracts.signal import Signal
from core.sections import RunSettings
from execution.breakers.replay_breakers import ReplayBreakers
from execution.broker.reconcile import Reconciler
from execution.heartbeat import HeartbeatPublisher
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.journal.position import Position
from execution.journal.records import Record
from execution.order_path import exits, shared_stops
from execution.order_path.engine import Engine
from execution.order_path.exits import Exit
from execution.order_path.quotes import ReplayQuotes
from execution.order_path.stops import Stops
from execution.replay_slices import Slice, order_of
from execution.risk.firm_replay import ReplayFirm
from execution.risk.trading_state import TradingState

TRAIL = "trail"  # a stop that may move: a task among the exits


class Parts(NamedTuple):
    """What the driver drives."""

    run: RunSettings
    clock: ManualClock
    ledger: Ledger
    venue: Venue
    quotes: ReplayQuotes
    engine: Engine
    reconciler: Reconciler
    outbox: Outbox
    stops: Stops
    breakers: ReplayBreakers | None = None
    trading: TradingState | None = None
    firm: ReplayFirm | None = None


class FirmCheck(NamedTuple):
    """A quote that breaks a firm's rule, or that a stop may have been filled at: a task."""

    due_us: int


class OrderLook(NamedTuple):
    """A moment at which something may happen to an order that waits: a task."""

    due_us: int
    order_id: str


_Task = tuple[
    tuple[int, str, str, str, str], Exit | FirmCheck | OrderLook
]  # and its place in the order


class Slices(Protocol):
    """Where the driver gets slices from: the bus, or a backtest that computes them."""

    def next(self) -> Slice | None:
        """The next slice, when it is complete; None when told to stop."""
        ...


class Replay:
    """Drives the engine through the slices of one run."""

    def __init__(
        self, parts: Parts, reader: Slices, heartbeat: HeartbeatPublisher | None = None
    ) -> None:
        self._p, self._reader, self._heartbeat = parts, reader, heartbeat
        self._book = parts.ledger.book
        self._interrupted = ""
        self._figures: deque[MarketRisk] = deque()
        self._looked: dict[str, int] = {}  # when last, by order that waits
        self._tried: dict[int, int] = {}  # by position: a stop stayed at a quote before this

    def run(self) -> bool:
        """Until the last slice (True), or until the reader was told to stop (False)."""
        self._recover()
        while not self._ended():
            part = self._reader.next()
            if part is None:
                return False
            if part.last:
                self._mark(part, [])
            else:
                self._p.quotes.load(part.ticks)
                if self._p.breakers:
                    self._p.breakers.load(part.ticks, part.end_us)
                if self._book.marker is None or part.number > self._book.marker.slice:
                    self._slice(part)
                else:
                    self._done_before(part)
            if self._heartbeat:
                self._heartbeat.beat()
        return True

    def _done_before(self, part: Slice) -> None:
        """A restart: what is remembered of a slice that is handled already."""
        if self._p.breakers:
            self._p.breakers.until(part.end_us)
        self._figures.extend(part.risk)
        self._take_figures(part.end_us)

    def _recover(self) -> None:
        if self._book.marker is not None:
            self._p.clock.advance(self._book.marker.ts_event_us)
        for submitted in self._book.unsettled.values():
            self._p.clock.advance(submitted.ts_init_us)
        for working in self._book.working.values():
            self._p.clock.advance(max(working.cancelling_us, working.modified_us))
        last = self._book.last
        # Signals are handled one after another, so only the newest can be unfinished.
        self._interrupted = last.signal_id if last else ""
        self._p.reconciler.at_start()
        for position in [p for p in self._book.positions.values() if p.moving]:
            self._at(position.moved_us)
            self._p.stops.settle(position)
        for name, working in list(self._book.working.items()):
            if working.modifying is not None and self._book.rests(name):
                self._at(working.modified_us)
                self._p.engine.changes.send(name)
                self._p.reconciler.again()
            if working.cancelling_us and self._book.rests(name):
                self._at(working.cancelling_us)
                self._p.engine.working.send(name)
                self._p.reconciler.again()
        if self._p.stops.shared and self._book.positions:
            self._at(max(self._book.latest_us, self._p.clock.now_us()))
            self._p.stops.guard()
        self._p.outbox.publish()

    def _looks(self, part: Slice) -> Iterator[_Task]:
        """When something may happen to an order that waits: its price, its end, a halt, news."""
        for name, working in self._book.working.items():
            if not self._book.rests(name):
                continue
            e, now = self._book.unsettled[name], self._p.clock.now_us()
            since = max(self._looked.get(name, e.ts_init_us) + 1, now)
            times = [self._p.quotes.first_touch(e, working.signal.entry, since)]
            if not working.cancelling_us:
                times.append(working.signal.expires_us)
                times.append(since if self._book.is_beaten(name) else None)
                times.append(self._p.engine.contexts.next_denied_us(e.symbol, part.end_us))
                order = self._p.trading.current if self._p.trading else None
                times.append(order.ts_us if order and order.state != "active" else None)
                if self._figures and self._p.engine.needs_figures:  # they may deny it by now
                    times.append(self._figures[0].ts_event_us + GRACE_US)
            due = min((max(at, since) for at in times if at is not None), default=part.end_us + 1)
            if due <= part.end_us:
                yield (due, e.source, e.symbol, f" {name}", ""), OrderLook(due, name)

    def _take_up(self, task: OrderLook) -> None:
        """Take up what became of what waits, and take back what may wait no longer."""
        self._looked[task.order_id] = task.due_us
        self._look_at_broker()

    def _look_at_broker(self) -> None:
        self._p.reconciler.again()
        if self._p.engine.changing.withdraw():
            self._p.reconciler.again()

    def _ended(self) -> bool:
        return self._book.marker is not None and self._book.marker.end

    def _slice(self, part: Slice) -> None:
        if self._p.firm:
            self._p.firm.begin(_first_us(part))
        self._figures.extend(part.risk)
        self._take_figures(self._p.clock.now_us())  # also those that came before a restart
        for time_us, task in self._tasks(part):
            self._at(time_us)
            if isinstance(task, Signal):
                self._signal(task)
            elif isinstance(task, FirmCheck):
                self._check_firm(task)
            elif isinstance(task, OrderLook):
                self._take_up(task)
            else:
                self._exit(task)
            self._p.stops.guard()
        self._at(part.end_us)
        if self._book.working:
            self._look_at_broker()
        self._p.engine.poll()
        firm = self._p.firm.end(part.end_us) if self._p.firm else []
        self._mark(part, [*self._account(part), *firm])

    def _tasks(self, part: Slice) -> Iterator[tuple[int, Signal | Exit | FirmCheck | OrderLook]]:
        """Signals and exits of a slice in order; what is open is looked at again after each."""
        signals = list(reversed(part.signals))
        while True:
            coming = itertools.chain[_Task](
                self._exits(part), self._firm_looks(part), self._looks(part)
            )
            closing = min(coming, default=None, key=lambda e: e[0])
            if signals and (closing is None or order_of(signals[-1]) < closing[0]):
                yield max(signals[-1].ts_event_us, self._p.clock.now_us()), signals.pop()
            elif closing is not None:
                yield closing[0][0], closing[1]
            else:
                return

    def _exits(self, part: Slice) -> Iterator[tuple[tuple[int, str, str, str, str], Exit]]:
        for coming in map(exits.of, self._book.positions.values()):
            key, due = coming.position.key, coming.due_us
            if coming.waits:
                quoted = self._p.quotes.first_from(key.source, key.symbol, due)
                if quoted is None:
                    continue
                due = quoted
            yield from self._within(part, coming._replace(due_us=due))
        for position in self._book.positions.values():
            if self._p.stops.shared and not position.refused:
                yield from self._reached(part, position)
            moves_us = self._moves_us(position)
            if moves_us is not None:
                yield from self._within(part, Exit(moves_us, position, TRAIL, False))
            news_us = self._p.engine.contexts.next_flatten_us(position.key.symbol, part.end_us)
            if news_us is not None and not position.refused:
                yield from self._within(part, Exit(news_us, position, "news", False))
        order = self._p.trading.current if self._p.trading else None
        if order is not None and order.state == "halted" and order.positions == "flatten":
            for position in self._book.positions.values():
                if not position.refused:  # else it comes back as an exit
                    yield from self._within(part, Exit(order.ts_us, position, "flatten", False))

    def _reached(
        self, part: Slice, position: Position
    ) -> Iterator[tuple[tuple[int, str, str, str, str], Exit]]:
        """When a quote reaches the stop or the take-profit that is kept here, not at the venue."""
        key, since = position.key, max(position.opened_us, self._p.clock.now_us())
        for purpose, level, falling in shared_stops.levels(position):
            due = self._p.quotes.first_reaching(
                *key[1:], since, level, long=position.volume > 0, falling=falling
            )
            if due is not None:
                yield from self._within(part, Exit(due, position, purpose, False))

    def _firm_looks(self, part: Slice) -> Iterator[_Task]:
        positions = self._book.positions.values()
        due = self._p.firm.coming(part.end_us, positions) if self._p.firm else None
        if due is not None:
            yield (due, "", "", "", ""), FirmCheck(due)

    def _check_firm(self, task: FirmCheck) -> None:
        """What the broker closed at this quote, then what is left before each rule."""
        assert self._p.firm is not None
        self._p.engine.poll()
        self._p.firm.looked(self._book.positions.values(), task.due_us)
        self._p.firm.until(task.due_us, including=True)

    def _within(
        self, part: Slice, coming: Exit
    ) -> Iterator[tuple[tuple[int, str, str, str, str], Exit]]:
        """With its place in the order of the slice, if it is due in it."""
        due, key = max(coming.due_us, self._p.clock.now_us()), coming.position.key
        if due <= part.end_us:
            yield (due, key.source, key.symbol, f" {coming.position.ticket:020d}", ""), coming

    def _moves_us(self, position: Position) -> int | None:
        """When the next quote of the slice may move a position's stop; None when none does."""
        level = self._p.stops.reach(position) if position.trail else None
        if level is None:
            return None
        since = max(self._p.stops.due_us(position), self._tried.get(position.ticket, 0))
        key, long = position.key, position.volume > 0
        return self._p.quotes.first_beyond(key.source, key.symbol, since, level, long=long)

    def _signal(self, signal: Signal) -> None:
        if not self._book.received(signal.signal_id):
            self._poll(signal.source, signal.symbol)
            self._p.engine.on_signal(signal)
        elif signal.signal_id == self._interrupted:  # else done before a restart
            self._interrupted = ""
            self._p.engine.resume(signal)

    def _exit(self, coming: Exit) -> None:
        position = coming.position
        self._poll(position.key.source, position.key.symbol)
        if position.ticket not in self._book.positions:
            return
        if coming.purpose != TRAIL:
            self._p.engine.exit(position, coming.purpose)
        elif not self._p.stops.move(position):
            self._tried[position.ticket] = coming.due_us + 1

    def _poll(self, source: str, symbol: str) -> None:
        """See stops of a feed in market order; ask only when a quote can have reached one."""
        now = self._p.clock.now_us()
        for position in self._book.positions.values():
            long = position.volume > 0
            if position.key[1:] == (source, symbol) and self._p.quotes.may_have_crossed(
                source, symbol, now, position.stop_price, position.take_profit, long=long
            ):
                self._p.engine.poll()
                return

    def _account(self, part: Slice) -> list[Record]:
        """The account, unless nothing can have changed since the slice before."""
        before = self._book.marker.ts_event_us if self._book.marker else -1
        if before >= self._book.latest_us and before >= 0 and not self._book.positions:
            return []
        account, last, run = self._p.venue.account(), self._book.last, self._p.run
        return [
            AccountState(
                run_id=run.run_id, mode=run.mode, account=run.account, ts_event_us=part.end_us,
                ts_init_us=part.end_us, seq=last.seq if last else 0, currency=account.currency,
                balance=account.balance, equity=account.equity, margin=account.margin,
            )
        ]  # fmt: skip

    def _mark(self, part: Slice, before: list[Record]) -> None:
        marker = ExecutionMarker(self._p.run.run_id, part.number, part.end_us, part.last)
        self._p.ledger.record([*before, marker])
        self._p.outbox.publish()

    def _at(self, time_us: int) -> None:
        if self._p.firm:
            self._p.firm.until(time_us)
        self._p.clock.advance(time_us)
        self._p.venue.at(self._p.clock.now_us())
        if self._p.breakers:
            self._p.breakers.until(self._p.clock.now_us())
        self._take_figures(self._p.clock.now_us())

    def _take_figures(self, now_us: int) -> None:
        """Of risk, when they would have come live."""
        while self._figures and self._figures[0].ts_event_us + GRACE_US <= now_us:
            self._p.engine.market_risk.take(self._figures.popleft())


def _first_us(part: Slice) -> int:
    times = [int(a["time_msc"][0]) for arrays in part.ticks.values() for a in arrays if len(a)]
    return min(times, default=part.end_us // 1000) * 1000
