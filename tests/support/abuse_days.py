"""Days of own orders for surveillance: clean ones of three strategies, and abuse to plant.

Prices walk, strategies enter and leave at the market, some let orders wait; now and then two act on
the same tick. The same day gives the same events.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count

import numpy as np
from msgspec.structs import replace

from core.contracts.order import EventKind, OrderEvent

Kind = EventKind
SECOND = 1_000_000
DAY = date(2026, 3, 2)  # a Monday
PARTIES = (("main", "trend"), ("main", "breakout"), ("second", "reversal"))
SYMBOLS = {"EURUSD": 1.0840, "XAUUSD": 2_410.0}


class Flow:
    """A day's events as they are made; `price` says what a symbol costs at a second of the day."""

    def __init__(self, day: date, tag: str = "") -> None:
        self.start_us = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6)
        self.dice = np.random.default_rng([7, day.toordinal()])
        self.events: list[OrderEvent] = []
        self._orders, self._name = count(), f"{day}{tag}"
        steps = self.dice.normal(0.0, 2e-5, (len(SYMBOLS), 86_400)).cumsum(axis=1)
        self._walk = dict(zip(SYMBOLS, steps, strict=True))

    def price(self, symbol: str, second: float) -> float:
        return float(SYMBOLS[symbol] * np.exp(self._walk[symbol][min(int(second), 86_399)]))

    def order(
        self, party: tuple[str, str], symbol: str, side: str, second: float, *, volume: float = 1.0,
        purpose: str = "entry", price: float = 0.0, fate: str = "filled", lives_s: float = 0.06,
    ) -> str:  # fmt: skip
        """One order from its signal to its end; its id."""
        account, strategy = party
        order_id = f"{self._name}-{next(self._orders)}"
        at = self.start_us + int(second * SECOND)
        base = OrderEvent(
            seq=0, event_id="", kind=Kind.RECEIVED, run_id=account, mode="live", account=account,
            strategy=strategy, order_id=order_id, signal_id=f"s{order_id}", source="oanda",
            symbol=symbol, ts_event_us=at, ts_init_us=at, side=side, purpose=purpose,
            volume=volume, price=price or self.price(symbol, second),
        )  # fmt: skip
        kinds = [Kind.RECEIVED, Kind.SUBMITTED, Kind.ACCEPTED]
        kinds += [Kind.FILLED] if fate == "filled" else [Kind.CANCELLING, Kind.CANCELLED]
        times = [0, 1_000, 30_000, *([int(lives_s * SECOND)] * (len(kinds) - 3))]
        for number, (kind, after) in enumerate(zip(kinds, times, strict=True)):
            later = {"ts_event_us": at + after + number, "ts_init_us": at + after + number}
            self.events.append(replace(base, kind=kind, event_id=f"{order_id}.{number}", **later))
        return order_id

    def numbered(self) -> list[OrderEvent]:
        """In order, numbered per account."""
        numbers = {
            "main": count(self.start_us // SECOND * 10),
            "second": count(self.start_us // SECOND * 10),
        }
        by_time = sorted(self.events, key=lambda event: event.ts_event_us)
        return [replace(event, seq=next(numbers[event.account])) for event in by_time]


def clean(day: date, entries: int = 120) -> Flow:
    """Entries with exits an hour or so later; every eighth is a limit order that is taken back."""
    flow, shared = Flow(day), None
    for party in PARTIES:
        times = np.sort(flow.dice.uniform(7 * 3600, 20 * 3600, entries))
        if shared is not None:  # the same news moves all of them
            times[: entries // 10] = shared[: entries // 10] + flow.dice.uniform(
                0, 2, entries // 10
            )
        shared = times
        for number, second in enumerate(times):
            _entry(flow, party, number, float(second))
    return flow


def _entry(flow: Flow, party: tuple[str, str], number: int, second: float) -> None:
    symbol = list(SYMBOLS)[number % 2]
    side = "buy" if flow.dice.random() < 0.5 else "sell"
    volume = float(np.round(flow.dice.uniform(0.5, 2.0), 2))
    if number % 8 == 7:
        flow.order(party, symbol, side, second, volume=volume, fate="cancelled", lives_s=1800.0)
        return
    flow.order(party, symbol, side, second, volume=volume)
    other = "sell" if side == "buy" else "buy"
    leaves = second + float(flow.dice.uniform(600, 5400))
    flow.order(party, symbol, other, leaves, volume=volume, purpose="horizon")


def _layering(flow: Flow) -> None:
    for _ in range(5):
        flow.order(PARTIES[0], "EURUSD", "buy", 36_000, volume=3.0, fate="cancelled", lives_s=45.0)
    flow.order(PARTIES[0], "EURUSD", "sell", 36_020, volume=1.0)


def _spoofing(flow: Flow) -> None:
    flow.order(PARTIES[2], "XAUUSD", "sell", 40_000, volume=20.0, fate="cancelled", lives_s=30.0)
    flow.order(PARTIES[1], "XAUUSD", "buy", 40_010, volume=1.0)


def _wash_trade(flow: Flow) -> None:
    for number in range(60):
        second = 30_000 + number * 300
        flow.order(PARTIES[0], "XAUUSD", "buy", second, volume=1.23)
        flow.order(PARTIES[2], "XAUUSD", "sell", second + 0.2, volume=1.23)


def _momentum_ignition(flow: Flow) -> None:
    for number in range(10):
        price = 1.0840 * (1 + 1e-4 * number)
        flow.order(PARTIES[1], "EURUSD", "buy", 50_000 + 5 * number, price=price)
    for number in range(4):
        second = 50_080 + 20 * number
        flow.order(
            PARTIES[1], "EURUSD", "sell", second, volume=2.5, price=1.0850, purpose="opposite"
        )


def _cancel_ratio(flow: Flow) -> None:
    for number in range(1_500):
        flow.order(
            PARTIES[2], "EURUSD", "buy" if number % 2 else "sell", 26_000 + 25 * number, volume=0.5,
            fate="cancelled", lives_s=20.0,
        )  # fmt: skip


def _marking_the_close(flow: Flow) -> None:
    closes = 21 * 3600  # 17:00 in New York, after the clocks changed there
    for number in range(8):
        price = 2_410.0 * (1 + 1e-4 * number)
        flow.order(
            PARTIES[0], "XAUUSD", "buy", closes - 500 + 60 * number, volume=30.0, price=price
        )


def _unusual_size(flow: Flow) -> None:
    flow.order(PARTIES[1], "XAUUSD", "sell", 45_000, volume=25.0)


def _unusual_time(flow: Flow) -> None:
    for number in range(4):
        flow.order(PARTIES[0], "EURUSD", "buy", 3_600 * 2 + 300 * number)


#: What each scenario has to find.
PLANTED: dict[str, Callable[[Flow], None]] = {
    "layering": _layering, "spoofing": _spoofing, "wash_trade": _wash_trade,
    "momentum_ignition": _momentum_ignition, "cancel_ratio": _cancel_ratio,
    "marking_the_close": _marking_the_close, "unusual_size": _unusual_size,
    "unusual_time": _unusual_time,
}  # fmt: skip


def weekdays(first: date, number: int) -> Iterator[date]:
    """So many trading days from a day on."""
    reached = 0
    for ordinal in count(first.toordinal()):
        day = date.fromordinal(ordinal)
        if day.weekday() < 5:
            yield day
            reached += 1
        if reached == number:
            return
