"""What became of a busy day's signals: every kind of event, every rule of ours, every refusal.

Two orders of three are filled and closed at their horizon; the third meets the next of a list of
fates, so that each comes several times a day. The newest fill of each symbol is held at the end.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from cli.busy.day import SECOND, SOURCE, Day, known
from cli.busy.decisions import HELD_S, Quoted
from core.contracts.order import DenialReason, EventKind, OrderEvent
from core.contracts.signal import OrderSignal, Signal
from execution.journal.chain import Chain
from execution.journal.identity import order_id

Kind = EventKind
LOTS = 1.0
LIMITS = "default-2"
FILLS = (Kind.FILLED, Kind.PARTIALLY_FILLED, Kind.CLOSED)
_MS = 1_000
_REFUSALS = ("10019 not enough money", "10016 invalid stops", "10018 market is closed")
#: What an order may meet instead of a plain fill.
FATES = (
    *(f"denied {reason}" for reason in DenialReason),
    *(f"rejected {text}" for text in _REFUSALS),
    *("partial", "partial cancelled", "cancelled", "expired", "settled", "superseded"),
    *("stop", "take_profit", "manual", "trail"),
)
_BOUGHT_BY_BROKER = ("stop", "take_profit", "manual")


class Intent(NamedTuple):
    """A signal with the feed's quotes, and what it is to meet; "": filled, "held": never closed."""

    signal: Signal
    quoted: Quoted
    fate: str


class _Order:
    """An order's events as they come."""

    def __init__(self, day: Day, intent: Intent, purpose: str, number: int) -> None:
        self.signal, self.quoted, self._run = intent.signal, intent.quoted, day.run
        self._purpose, self._id = purpose, order_id(intent.signal.signal_id, purpose)
        way = intent.signal.target if purpose == "entry" else -intent.signal.target
        self.side, self._ticket, self.events = ("buy" if way > 0 else "sell"), number, 0
        self._point = known(intent.signal.symbol, intent.signal.ts_event_us).point

    def event(self, kind: Kind, at_us: int, **more: object) -> OrderEvent:
        """The next of them, at the quote of its moment."""
        self.events += 1
        bid, ask = self.quote(at_us)
        signal, run = self.signal, self._run
        record = OrderEvent(
            seq=0, event_id=f"{self._id}.{self.events}", kind=kind, run_id=run.run_id,
            mode=run.mode, account=run.account, strategy=run.strategy, order_id=self._id,
            signal_id=signal.signal_id, source=SOURCE, symbol=signal.symbol, ts_event_us=at_us,
            ts_init_us=at_us + 300, side=self.side, purpose=self._purpose, volume=LOTS,
            price=ask if self.side == "buy" else bid, arrival_mid=(bid + ask) / 2,
            stop_price=signal.stop_price, limits_version=LIMITS,
        )  # fmt: skip
        return replace(record, **more)

    def fill(
        self, kind: Kind, at_us: int, volume: float, part: int = 0, **more: object
    ) -> OrderEvent:
        """A fill a little worse than the quote."""
        bid, ask = self.quote(at_us)
        slip = (self._ticket % 5 - 1) * self._point
        price = ask + slip if self.side == "buy" else bid - slip
        return self.event(
            kind, at_us, volume=volume, price=price, commission=-3.5 * volume,
            venue_order=self._ticket, venue_deal=self._ticket * 10 + part,
            venue_position=self._ticket if self._purpose == "entry" else self._ticket - 1, **more,
        )  # fmt: skip

    def sent(self, at_us: int) -> list[OrderEvent]:
        """On its way to the broker, and taken."""
        return [
            self.event(Kind.RECEIVED, at_us + 2 * _MS),
            self.event(Kind.SUBMITTED, at_us + 3 * _MS),
            self.event(Kind.ACCEPTED, at_us + 30 * _MS, venue_order=self._ticket),
        ]

    def quote(self, at_us: int) -> tuple[float, float]:
        """Bid and ask of that moment."""
        ticks = self.quoted.ticks
        row = ticks[max(int(np.searchsorted(ticks["time_msc"], at_us // 1000, "right")) - 1, 0)]
        return float(min(row["bid"], row["ask"])), float(max(row["bid"], row["ask"]))


def events_of(day: Day, feeds: Sequence[Quoted]) -> list[OrderEvent]:
    """The day's journal: in the order of time, numbered and chained as execution does it."""
    signals = sorted(
        ((signal, feed) for feed in feeds for signal in feed.decided.signals),
        key=lambda pair: pair[0].ts_init_us,
    )
    last = {signal.symbol: signal.signal_id for signal, _ in signals}
    tickets, loose = count(1_000, 2), list[OrderEvent]()
    for place, (signal, feed) in enumerate(signals):
        held = last[signal.symbol] == signal.signal_id
        fate = "held" if held else FATES[place // 3 % len(FATES)] if place % 3 == 2 else ""
        loose += _life(day, Intent(signal, feed, fate), next(tickets))
    loose += _of_the_broker(day, Intent(*signals[0], ""), next(tickets))
    loose += _in_doubt(day, Intent(*signals[-5], ""), next(tickets))
    chain = Chain(day.run.session_id)
    return [chain.link(event)[0] for event in sorted(loose, key=lambda event: event.ts_event_us)]


def _life(day: Day, intent: Intent, ticket: int) -> Iterator[OrderEvent]:
    order, at = _Order(day, intent, "entry", ticket), intent.signal.ts_init_us
    word, _, text = intent.fate.partition(" ")
    if isinstance(intent.signal, OrderSignal):
        yield from _waited(order, at, intent.signal)
        yield from _closing(day, intent, ticket, LOTS)
    elif word == "denied":
        yield order.event(Kind.RECEIVED, at + 2 * _MS)
        yield order.event(Kind.DENIED, at + 3 * _MS, reason=text, limit=1.0, observed=1.7)
    elif word == "superseded":
        yield order.event(Kind.RECEIVED, at + 2 * _MS)
        yield order.event(Kind.SUPERSEDED, at + 9 * _MS)
    elif word in ("rejected", "cancelled", "expired"):
        yield from order.sent(at)
        yield order.event(Kind(word), at + 90 * _MS, reason=text or "the broker's own")
    else:
        yield from _filled(order, at, intent.fate)
        if intent.fate != "held":
            lots = LOTS / 2 if intent.fate == "partial cancelled" else LOTS
            yield from _closing(day, intent, ticket, lots)


def _waited(order: _Order, at: int, signal: OrderSignal) -> Iterator[OrderEvent]:
    """A limit, changed once and once in vain, before its price came."""
    for event in order.sent(at):
        waits = event.kind is Kind.SUBMITTED
        yield replace(
            event, price=signal.entry_price, reason=f"{signal.entry} {signal.name}" * waits
        )
    for kind, after, why in (
        (Kind.MODIFYING, 10, "modifies dip"), (Kind.MODIFIED, 11, "modifies dip"),
        (Kind.MODIFYING, 20, "modifies dip"), (Kind.UNMODIFIED, 21, "10025 no changes"),
    ):  # fmt: skip
        yield order.event(kind, at + after * SECOND, price=signal.entry_price, reason=why)
    yield replace(order.fill(Kind.FILLED, at + 30 * SECOND, LOTS), price=signal.entry_price)


def _filled(order: _Order, at: int, fate: str) -> Iterator[OrderEvent]:
    yield from order.sent(at)
    if fate.startswith("partial"):
        yield order.fill(Kind.PARTIALLY_FILLED, at + 60 * _MS, LOTS / 2)
        if fate == "partial":
            yield order.fill(Kind.FILLED, at + 400 * _MS, LOTS / 2, 1)
        else:
            yield order.event(Kind.CANCELLING, at + 9 * SECOND, purpose="halt")
            yield order.event(Kind.CANCELLED, at + 10 * SECOND, reason="halted")
        return
    if fate == "settled":
        yield order.event(Kind.UNKNOWN, at + 5 * SECOND, reason="no answer")
        yield order.event(Kind.RECONCILED, at + 8 * SECOND, reason="it is in the history")
    yield order.fill(Kind.FILLED, at + (9 * SECOND if fate == "settled" else 60 * _MS), LOTS)
    if fate == "trail":
        for kind, after in ((Kind.STOP_MOVING, 60), (Kind.STOP_MOVED, 61), (Kind.STOP_KEPT, 90)):
            yield order.event(kind, at + after * SECOND, purpose="trail")


def _closing(day: Day, intent: Intent, ticket: int, lots: float) -> Iterator[OrderEvent]:
    by_broker = intent.fate in _BOUGHT_BY_BROKER
    order = _Order(day, intent, intent.fate if by_broker else "horizon", ticket + 1)
    at = intent.signal.ts_event_us + (HELD_S - 30 * by_broker) * SECOND
    if not by_broker:
        yield from order.sent(at)
    kind = Kind.CLOSED if by_broker else Kind.FILLED
    yield order.fill(kind, at + 60 * _MS, lots, profit=_profit(order, intent.signal, at, lots))


def _profit(order: _Order, signal: Signal, at: int, lots: float) -> float:
    bid, ask = order.quote(at)
    entry_bid, entry_ask = order.quote(signal.ts_init_us)
    moved = bid - entry_ask if signal.target > 0 else entry_bid - ask
    return round(moved * lots * known(signal.symbol, at).contract_size, 2)


def _of_the_broker(day: Day, intent: Intent, ticket: int) -> Iterator[OrderEvent]:
    """A deposit: booked, and no order of ours."""
    order = _Order(day, intent, "deposit", ticket)
    yield order.event(
        Kind.BOOKED, day.at(0.5), volume=0.0, price=0.0, profit=5_000.0, venue_deal=ticket * 10,
        reason="deposit",
    )  # fmt: skip


def _in_doubt(day: Day, intent: Intent, ticket: int) -> Iterator[OrderEvent]:
    """Sent, and nobody knows what became of it."""
    order, at = _Order(day, intent, "flatten", ticket), day.end_us - 20 * 60 * SECOND
    yield order.event(Kind.RECEIVED, at)
    yield order.event(Kind.SUBMITTED, at + _MS)
    yield order.event(Kind.UNKNOWN, at + 5 * SECOND, reason="no answer within 5 s")
