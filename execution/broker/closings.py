"""What the broker, or a person at the terminal, did to positions of ours: journalled as CLOSED.

On a netting account a deal may concern what others hold in the same position as well; then our
share is closed, and the rest is booked as theirs, money in proportion.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Fill
from core.clock import Clock
from core.sections import RunSettings
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Position
from execution.journal.records import Record


class Closings:
    """Takes up closings of positions in the book."""

    def __init__(self, run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue) -> None:
        self._run, self._clock, self._ledger, self._venue = run, clock, ledger, venue

    def poll(self) -> None:
        """Ask for what reduced our positions; feeds with an unsettled order wait for that one.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book = self._ledger.book
        ours = [p for p in book.positions.values() if not book.is_blocked(*p.key[1:])]
        if not ours:
            return
        there = {p.ticket: p.volume for p in self._venue.positions()}
        gone = [p for p in ours if there.get(p.ticket, 0.0) != p.volume]
        fills = [(fill, p) for p in gone for fill in self._fresh(p)]
        fills.sort(key=lambda pair: (pair[0].time_us, pair[0].deal))
        for fill, position in fills:
            if position.ticket in book.positions and reduces(fill, position):
                self.record(fill, position)

    def record(self, fill: Fill, position: Position) -> None:
        """Journal one deal that reduced a position of ours."""
        self._ledger.record(self.entries(fill, position))

    def entries(self, fill: Fill, position: Position) -> Sequence[Record]:
        """Our share of a closing, and others'."""
        ours = self._ours(fill, position)
        now = self._clock.now_us()
        if ours >= fill.volume:
            return [events.closed(position, fill, now, self._run)]
        mine = _share(fill, ours)
        theirs = _rest(fill, mine)
        suspends = ours == abs(position.volume) and self._reverses(fill, position)
        rest = events.booked(theirs, position.key, now, self._run, suspends=suspends)
        return [events.closed(position, mine, now, self._run), rest] if ours > 0 else [rest]

    def _fresh(self, position: Position) -> list[Fill]:
        fills = self._venue.closings(position.ticket, position.opened_us)
        return [fill for fill in fills if fill.deal not in self._ledger.book.deals]

    def _ours(self, fill: Fill, position: Position) -> float:
        others = self._ledger.book.broker.held_by_others(position.ticket)
        left = fill.volume
        if fill.cause == "manual" and others * position.volume > 0:  # a person's own lots first
            left = max(left - abs(others), 0.0)
        return round(min(left, abs(position.volume)), 8)

    def _reverses(self, fill: Fill, position: Position) -> bool:
        others = self._ledger.book.broker.held_by_others(position.ticket)
        return fill.volume > abs(position.volume + others) + 1e-9


def reduces(fill: Fill, position: Position) -> bool:
    """Whether a deal made a position smaller: one that turned an account over may add to ours."""
    return (fill.side == "sell") == (position.volume > 0)


def _share(fill: Fill, volume: float) -> Fill:
    part = volume / fill.volume
    return replace(
        fill, volume=volume, commission=round(fill.commission * part, 2),
        swap=round(fill.swap * part, 2), profit=round(fill.profit * part, 2),
    )  # fmt: skip


def _rest(fill: Fill, mine: Fill) -> Fill:
    return replace(
        fill, volume=round(fill.volume - mine.volume, 8),
        commission=round(fill.commission - mine.commission, 8),
        swap=round(fill.swap - mine.swap, 8), profit=round(fill.profit - mine.profit, 8),
    )  # fmt: skip
