"""What the broker did by itself, as a fold over the journal: money, and positions of others.

The balance follows from what is journalled: an opening, then every deal since, ours and others'.
It must equal the account's to the cent (`execution/broker/account_history.py`). A trade of somebody
else suspends its feed when it says so: while such a position is open, nothing of ours may open
there.
"""

import msgspec

from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent

OPENING, OPENING_CREDIT = "opening", "opening_credit"
HELD_BEFORE = "held_before"  # others' position in a netting account that our books began with
CREDIT, ACCEPTED, ACCEPTED_CREDIT = "credit", "accepted", "accepted_credit"
_FILLS = (Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CLOSED)
_TO_CREDIT = (CREDIT, ACCEPTED_CREDIT, OPENING_CREDIT)


class Foreign(msgspec.Struct):
    """What others hold in one position; `volume` is signed lots."""

    source: str
    symbol: str
    volume: float
    suspends: bool


class Brokerage:
    """The state after all order events applied so far."""

    def __init__(self) -> None:
        self.opened = False
        self.balance, self.credit = 0.0, 0.0
        self.watermark = 0  # deals up to this ticket are in the opening balance
        self.latest_us = 0  # newest time of a deal
        self.foreign: dict[int, Foreign] = {}  # by position

    def apply(self, event: OrderEvent) -> None:
        """Fold one event in."""
        if event.kind is Kind.BOOKED:
            self._booked(event)
        elif event.kind in _FILLS and event.venue_deal > self.watermark:
            self._count(event)

    def is_suspended(self, source: str, symbol: str) -> bool:
        """Whether others' trades keep us from opening anything in a feed."""
        return any(
            f.suspends and (f.source, f.symbol) == (source, symbol) for f in self.foreign.values()
        )

    def held_by_others(self, position: int) -> float:
        """Signed lots of a position that are not ours."""
        foreign = self.foreign.get(position)
        return foreign.volume if foreign else 0.0

    def lots_of_others(self) -> float:
        """Lots of all positions that are not ours, long and short alike."""
        return sum(abs(held.volume) for held in self.foreign.values())

    def _booked(self, event: OrderEvent) -> None:
        if event.purpose == OPENING:
            self.opened, self.balance, self.watermark = True, event.profit, event.venue_deal
            self.latest_us = event.ts_event_us
            return
        if event.purpose in _TO_CREDIT:
            self.credit = round(self.credit + event.profit, 8)
            self.latest_us = max(self.latest_us, event.ts_event_us)
            return
        self._count(event)
        if event.venue_position:
            self._trade(event)

    def _count(self, event: OrderEvent) -> None:
        self.balance = round(self.balance + event.profit + event.commission + event.swap, 8)
        if event.venue_deal:
            self.latest_us = max(self.latest_us, event.ts_event_us)

    def _trade(self, event: OrderEvent) -> None:
        signed = event.volume if event.side == "buy" else -event.volume
        held = self.foreign.setdefault(
            event.venue_position, Foreign(event.source, event.symbol, 0.0, False)
        )
        held.volume = round(held.volume + signed, 8)
        held.suspends = held.suspends or event.observed > 0
        if held.volume == 0:
            del self.foreign[event.venue_position]
