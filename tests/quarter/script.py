"""What happens in the quarter: ticks, orders with every kind of event, and what goes wrong.

Three trading days a week; prices, times and volumes follow from the day's number, so that
`expected.py` can say by itself what each report must hold.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from core.contracts.order import EventKind, OrderEvent
from core.contracts.tick import TICK, TickArray
from tests.support.orders import at, event

FIRST, WEEKS = date(2026, 1, 5), 12
ACCOUNT, STRATEGY, SOURCE, INDEX, PAIR = "acc1", "model", "oanda", "EUIX50", "EURUSD"
OPENING, SECOND = 100_000.0, 1_000_000
Kind = EventKind


class Fill(NamedTuple):
    """A fill as the script means it; `way` 1 buys, -1 sells."""

    order: str
    deal: int
    us: int
    symbol: str
    way: int
    lots: float
    price: float
    profit: float


class Day(NamedTuple):
    """A trading day: what was journalled, the fills in it, and what each order was to be."""

    number: int
    day: date
    events: list[OrderEvent]
    fills: list[Fill]
    denied: list[tuple[str, str]]  # order, control


def days(weeks: int = WEEKS) -> list[date]:
    """Mondays, Wednesdays and Fridays."""
    return [FIRST + timedelta(weeks=week, days=d) for week in range(weeks) for d in (0, 2, 4)]


def bid(number: int, second: int) -> float:
    """Of the index, so many seconds after ten; the ask is half a point above."""
    return 5_000.0 + 10 * number + (second % 7) * 0.25


def ticks(number: int, day: date, symbol: str) -> TickArray:
    """A quote a second for ten minutes."""
    quotes = np.zeros(600, TICK)
    quotes["time_msc"] = at(f"{day} 10:00") // 1000 + np.arange(600) * 1000
    index = symbol == INDEX
    quotes["bid"] = [bid(number, s) if index else 1.17 + (s % 5) * 1e-5 for s in range(600)]
    quotes["ask"] = np.round(quotes["bid"] + (0.5 if index else 1e-4), 5)
    quotes["ts_recv_us"] = quotes["time_msc"] * 1000 + 3_000
    return quotes


def played(weeks: int = WEEKS) -> list[Day]:
    """Every day of the quarter."""
    return [_Script(number, day).play() for number, day in enumerate(days(weeks))]


class _Script:
    def __init__(self, number: int, day: date) -> None:
        self._number, self._day, self._ten = number, day, at(f"{day} 10:00")
        self._events: list[OrderEvent] = []
        self._fills: list[Fill] = []
        self._denied: list[tuple[str, str]] = []

    def play(self) -> Day:
        if self._number == 0:
            self._event("b0", Kind.BOOKED, -3_600, purpose="opening", profit=OPENING, side="",
                        symbol="", volume=0.0, price=0.0, order_id="")  # fmt: skip
        self._round_trip()
        self._in_parts()
        self._turned_down()
        self._spot()
        for step in self._by_turn():
            step()
        self._events.sort(key=lambda one: one.ts_event_us)
        return Day(self._number, self._day, self._events, self._fills, self._denied)

    def _by_turn(self) -> Iterator[object]:
        """What happens on some days only: each within the first two weeks."""
        waiting = (self._taken_back, self._expired, self._stop_moved, self._unknown, self._by_hand)
        yield waiting[self._number % len(waiting)]

    def _round_trip(self) -> None:
        bought = bid(self._number, 10) + 0.5
        self._order(1, "buy", 10, 1.0, bought)
        self._filled(1, 11, 1.0, bought, 10)
        sold = bid(self._number, 100)
        self._order(2, "sell", 100, 1.0, sold, purpose="horizon")
        self._filled(2, 20, 1.0, sold, 100, purpose="horizon", profit=sold - bought)

    def _in_parts(self) -> None:
        sold = bid(self._number, 20)
        self._order(3, "sell", 20, 3.0, sold)
        self._filled(3, 31, 1.0, sold, 20, Kind.PARTIALLY_FILLED)
        self._filled(3, 32, 1.5, sold - 0.5, 21, Kind.PARTIALLY_FILLED)
        self._event("3", Kind.CANCELLED, 21.5, side="sell", volume=0.5, reason="rest")
        bought = bid(self._number, 200) + 0.5
        self._order(4, "buy", 200, 2.5, bought, purpose="opposite")
        profit = (sold - bought) + 1.5 * (sold - 0.5 - bought)
        self._filled(4, 40, 2.5, bought, 200, purpose="opposite", profit=profit)

    def _turned_down(self) -> None:
        self._order(5, "buy", 30, 1.0, bid(self._number, 30) + 0.5, accepted=False)
        self._event("5", Kind.REJECTED, 30.1, reason="10019 No money")
        control = ("oversized", "client_file", "order_value")[self._number % 3]
        self._event("6", Kind.RECEIVED, 40, volume=9.0)
        self._event("6", Kind.DENIED, 40.001, reason=control, limit=3.0, observed=9.0, volume=9.0,
                    limits_version="limits-7")  # fmt: skip
        self._denied.append((self._name("6"), control))

    def _spot(self) -> None:
        self._order(7, "buy", 50, 0.1, 1.1701, symbol=PAIR)
        self._filled(7, 71, 0.1, 1.1701, 50, symbol=PAIR)
        self._order(8, "sell", 150, 0.1, 1.17, symbol=PAIR, purpose="horizon")
        self._filled(8, 80, 0.1, 1.17, 150, symbol=PAIR, purpose="horizon", profit=-1.0)

    def _taken_back(self) -> None:
        limit = bid(self._number, 60) - 5
        self._order(9, "buy", 60, 1.0, limit, reason="limit entry")
        for kind, second in ((Kind.MODIFYING, 70), (Kind.MODIFIED, 70.1), (Kind.CANCELLING, 80)):
            self._event("9", kind, second, price=limit - 1)
        self._event("9", Kind.CANCELLED, 80.1, volume=1.0)

    def _expired(self) -> None:
        self._order(9, "buy", 60, 1.0, bid(self._number, 60) - 5, reason="limit entry")
        self._event("9", Kind.EXPIRED, 90, volume=1.0)

    def _stop_moved(self) -> None:
        for kind, second in ((Kind.STOP_MOVING, 15), (Kind.STOP_MOVED, 15.1)):
            self._event("1", kind, second, purpose="trail", stop_price=bid(self._number, 10) - 4)

    def _unknown(self) -> None:
        self._order(9, "buy", 60, 1.0, bid(self._number, 60) + 0.5, accepted=False)
        self._event("9", Kind.UNKNOWN, 62, reason="no answer")
        self._event("9", Kind.RECONCILED, 64, reason="not at the venue")

    def _by_hand(self) -> None:
        """The broker closes a position, as a person at the terminal asked for."""
        bought, sold = bid(self._number, 60) + 0.5, bid(self._number, 120)
        self._order(9, "buy", 60, 2.0, bought)
        self._filled(9, 91, 2.0, bought, 60)
        self._filled(9, 92, 2.0, sold, 120, Kind.CLOSED, side="sell", purpose="manual",
                     profit=2 * (sold - bought))  # fmt: skip

    def _order(
        self, number: int, side: str, second: float, lots: float, price: float, *,
        accepted: bool = True, **more: object,
    ) -> None:  # fmt: skip
        kinds = [(Kind.RECEIVED, 0.0), (Kind.SUBMITTED, 0.001), (Kind.ACCEPTED, 0.03)]
        for kind, later in kinds[: 3 if accepted else 2]:
            self._event(str(number), kind, second + later, side=side, volume=lots, price=price,
                        **more)  # fmt: skip

    def _filled(
        self, number: int, deal: int, lots: float, price: float, second: float,
        kind: EventKind = Kind.FILLED, *, side: str = "", profit: float = 0.0, **more: object,
    ) -> None:  # fmt: skip
        sent = next(e for e in self._events if e.order_id == self._name(str(number)))
        side, deal = side or sent.side, self._number * 100 + deal
        us = self._event(
            str(number), kind, second + 0.06, side=side, volume=lots, price=price, profit=profit,
            venue_deal=deal, venue_order=deal, venue_position=self._number * 100 + number // 2 * 2,
            commission=-1.0, **more,
        )  # fmt: skip
        way, symbol = 1 if side == "buy" else -1, str(more.get("symbol", INDEX))
        self._fills.append(
            Fill(
                order=self._name(str(number)),
                deal=deal,
                us=us,
                symbol=symbol,
                way=way,
                lots=lots,
                price=price,
                profit=profit,
            )
        )

    def _event(self, order: str, kind: EventKind, second: float, **more: object) -> int:
        us = self._ten + round(second * SECOND)
        name = self._name(order)
        base = event(0, kind, us, source=SOURCE, order_id=name, signal_id=f"s{name}", run_id="live")
        self._events.append(replace(base, arrival_mid=0.0, **more))
        return us

    def _name(self, order: str) -> str:
        return f"q{self._number:03}-{order}"
