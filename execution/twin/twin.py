"""The broker's twin: a simulated terminal that gets every order too, on the same ticks.

What it makes of an order is what the model expects: its price, refusal and latency stand beside
the broker's own. It lives in a thread of its own and hears of orders as they are journalled, so
trading neither waits for it nor depends on it; it keeps nothing, and after a restart it takes up
positions it does not know at the market's price of that moment.
"""

import logging
import queue
import threading
from typing import NamedTuple

import msgspec
import numpy as np

from adapters.bus.base import Publisher
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Account, Fill
from adapters.simulator.broker import operations
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.markets.live_tape import LiveMarket
from adapters.simulator.terminal import SimulatedTerminal
from core.clock import Clock
from core.contracts import codec
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.tick import TickArray
from core.contracts.twin import TwinComparison
from core.errors import TickhouseError
from core.mailbox import Mailbox
from core.sections import TwinSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS
from execution.journal import events
from execution.journal.book import Book

_log = logging.getLogger(__name__)
_FILLS = (Kind.PARTIALLY_FILLED, Kind.FILLED)
_ENDS = (Kind.FILLED, Kind.REJECTED, Kind.CANCELLED, Kind.EXPIRED)
_CLOSED_MS = 12_000  # so long without a tick: the twin's market is closed
_MOST = 10_000  # orders whose end is waited for
_EXIT_TOLERANCE = 0.1


class Side(NamedTuple):
    """What one venue made of an order."""

    outcome: str
    reason: str
    volume: float
    price: float
    commission: float
    latency_ms: float


class Waiting(msgspec.Struct):
    """An order that was sent, and what is known of it so far."""

    submitted: OrderEvent
    take_profit: float
    fills: list[OrderEvent] = []
    real: Side | None = None
    twin: Side | None = None
    position: int = 0  # the twin's


def is_wanted(settings: Settings) -> bool:
    """Whether a twin runs: as the settings say, by default beside a real terminal."""
    if settings.twin.enabled == "auto":
        return settings.terminal.kind != "simulated"
    return settings.twin.enabled == "on"


class Twin:
    """`see` and `ticks` from any thread; the rest in one of its own (`start`) or by `step`."""

    def __init__(
        self, settings: TwinSettings, bus: Publisher, clock: Clock, book: Book, real: Venue,
        account: Account,
    ) -> None:  # fmt: skip
        self._bus, self._clock, self._book = bus, clock, book
        self._market, self._lock = LiveMarket(real.feeds), threading.Lock()
        self._latency_ms = settings.latency_max_ms
        frictions = Frictions(
            (settings.latency_min_ms, settings.latency_max_ms), settings.slip_probability,
            settings.slip_spreads,
        )  # fmt: skip
        self._terminal = SimulatedTerminal(
            self._market, balance=account.balance, currency=account.currency, seed=settings.seed,
            frictions=frictions, netting=account.netting and not real.shared,
        )  # fmt: skip
        self._venue = Venue(self._terminal)
        self._heard: Mailbox[tuple[OrderEvent, float]] = Mailbox()
        self._waiting: dict[str, Waiting] = {}
        self._positions: dict[int, int] = {}  # the broker's to ours
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="twin", daemon=True)

    def observe(self, event: OrderEvent) -> None:
        """Hear of a journalled event. Never waits."""
        if event.order_id in self._book.working:
            return  # one that waits for its price has no moment to compare
        if event.kind is Kind.SUBMITTED:
            self._heard.put((event, self._book.take_profit(event)))
        elif event.kind in (*_FILLS, *_ENDS, Kind.CLOSED):
            self._heard.put((event, 0.0))

    def ticks(self, source: str, symbol: str, ticks: TickArray) -> None:
        """Take ticks that came in, dtype TICK, shape (n,)."""
        with self._lock:
            if (source, symbol) in self._market.feeds():
                tape = self._market.tape(source, symbol)
                tape.feed(ticks["time_msc"], np.asarray(ticks["bid"]), np.asarray(ticks["ask"]))

    def start(self) -> None:
        """Work in a thread until `close`."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; orders that are not compared yet never will be."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self, wait_s: float = 0.0) -> None:
        """Take up what was heard, let the twin decide what is due, publish what is complete."""
        try:
            while True:
                event, take_profit = self._heard.get(wait_s)
                wait_s = 0.0
                self._take(event, take_profit)
        except queue.Empty:
            pass
        for waiting in [w for w in self._waiting.values() if w.twin is None and self._is_due(w)]:
            waiting.twin = self._decide(waiting)
        self._publish()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step(0.05)
            except TickhouseError as error:  # it may fail; trading must not notice
                _log.warning("twin: %s", error)

    def _take(self, event: OrderEvent, take_profit: float) -> None:
        if event.kind is Kind.SUBMITTED:
            if len(self._waiting) >= _MOST:
                self._waiting.pop(next(iter(self._waiting)))
            self._waiting[event.order_id] = Waiting(event, take_profit)
            return
        if event.kind is Kind.CLOSED:
            self._drop(self._positions.pop(event.venue_position, 0), event.ts_init_us)
            return
        waiting = self._waiting.get(event.order_id)
        if waiting is None:
            return
        if event.kind in _FILLS:
            waiting.fills.append(event)
        if event.kind in _ENDS:
            waiting.real = _real(waiting, event)

    def _is_due(self, waiting: Waiting) -> bool:
        """Whether the ticks that the twin's fill depends on are here."""
        sent_ms = waiting.submitted.ts_init_us // 1000
        with self._lock:
            tape = self._market.tape(waiting.submitted.source, waiting.submitted.symbol)
            if tape.newest_msc > sent_ms + self._latency_ms:
                return True
        return self._clock.now_us() // 1000 > sent_ms + _CLOSED_MS

    def _decide(self, waiting: Waiting) -> Side:
        submitted = waiting.submitted
        order = events.venue_order(submitted, _EXIT_TOLERANCE, waiting.take_profit)
        with self._lock:
            self._venue.at(submitted.ts_init_us)
            if submitted.venue_position:
                order = msgspec.structs.replace(order, position=self._known(submitted))
            answer = self._venue.send(order)
            outcome = self._venue.find(order, submitted.ts_init_us)
        if not outcome.fills:
            return Side("rejected", answer.reason, 0.0, 0.0, 0.0, 0.0)
        waiting.position = outcome.fills[0].position
        return _modelled(submitted, outcome.fills)

    def _known(self, submitted: OrderEvent) -> int:
        """The twin's position for one of the broker's; opened now when it has none."""
        ticket = self._positions.get(submitted.venue_position)
        if ticket in {held.ticket for held in self._venue.positions()}:
            return ticket or 0
        opened = 1 if submitted.side == "buy" else 0
        names = {info.path: info.name for info in self._terminal.symbols_get()}
        name = names[f"{submitted.source}\\{submitted.symbol}"]
        answer, _ = self._terminal.act(operations.by_hand(name, opened, submitted.volume))
        return int(answer.order)

    def _match(self, waiting: Waiting) -> None:
        """Remember which position of the twin is which of the broker's, after an entry."""
        if waiting.submitted.venue_position or not waiting.position:
            return
        if waiting.fills:
            self._positions[waiting.fills[0].venue_position] = waiting.position
        else:
            self._drop(waiting.position, self._clock.now_us())

    def _drop(self, ticket: int, now_us: int) -> None:
        """Close what the twin holds and the broker does not."""
        with self._lock:
            self._venue.at(now_us)
            for held in self._terminal.positions_get():
                if held.ticket == ticket:
                    back = operations.by_hand(held.symbol, 1 - held.type, held.volume, ticket)
                    self._terminal.act(back)

    def _publish(self) -> None:
        done = [w for w in self._waiting.values() if w.real and w.twin]
        for waiting in done:
            compared = comparison(waiting, self._clock.now_us())
            del self._waiting[waiting.submitted.order_id]
            self._match(waiting)
            name = f"{compared.run_id}.{compared.account}.{compared.order_id}.twin"
            self._bus.send(ORDER_EVENTS, compared.account, codec.encode(compared), name)


def comparison(waiting: Waiting, now_us: int) -> TwinComparison:
    """Both sides of an order that both are done with."""
    order, real, twin = waiting.submitted, waiting.real, waiting.twin
    assert real is not None
    assert twin is not None
    return TwinComparison(
        run_id=order.run_id, mode=order.mode, account=order.account, strategy=order.strategy,
        order_id=order.order_id, source=order.source, symbol=order.symbol,
        ts_event_us=order.ts_init_us, ts_init_us=now_us, side=order.side, purpose=order.purpose,
        volume=order.volume, price=order.price, arrival_mid=order.arrival_mid,
        real_outcome=real.outcome, real_reason=real.reason, real_volume=real.volume,
        real_price=real.price, real_commission=real.commission, real_latency_ms=real.latency_ms,
        twin_outcome=twin.outcome, twin_reason=twin.reason, twin_volume=twin.volume,
        twin_price=twin.price, twin_commission=twin.commission, twin_latency_ms=twin.latency_ms,
    )  # fmt: skip


def _real(waiting: Waiting, end: OrderEvent) -> Side:
    fills = waiting.fills
    if not fills:
        return Side(end.kind.value, end.reason, 0.0, 0.0, 0.0, 0.0)
    volume = round(sum(f.volume for f in fills), 8)
    price = sum(f.price * f.volume for f in fills) / volume
    outcome = "filled" if end.kind is Kind.FILLED else "partially_filled"
    latency_ms = (fills[0].ts_init_us - waiting.submitted.ts_init_us) / 1000
    commission = round(sum(f.commission for f in fills), 8)
    return Side(outcome, end.reason, volume, round(price, 8), commission, latency_ms)


def _modelled(submitted: OrderEvent, fills: tuple[Fill, ...]) -> Side:
    volume = round(sum(f.volume for f in fills), 8)
    price = sum(f.price * f.volume for f in fills) / volume
    outcome = "filled" if volume >= submitted.volume else "partially_filled"
    latency_ms = (fills[0].time_us - submitted.ts_init_us) / 1000
    return Side(
        outcome, "", volume, round(price, 8), sum(f.commission for f in fills), latency_ms
    )  # fmt: skip
