"""Profit of strategies that share a netting account's positions, by each one's own average price.

A deal realises by the account's average. What a strategy's own average says otherwise is booked
beside its fill, once to the strategy and once, the other way round, to the name `netting`: so the
two are nothing together, the balance stays what the broker's deals make it, and when a symbol is
flat again `netting` carries nothing of it. What conversion to the account's currency or the lots of
others leave there stays there, named.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from adapters.mt5.venue.venue import Fill
from core.clock import Clock
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.desk import NETTING
from core.instruments import instrument
from core.sections import RunSettings
from execution.broker.shared_position import SharedPositions
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.journal.records import Record
from execution.journal.virtual import RESIDUE
from execution.order_path.quotes import Quotes
from execution.order_path.valuation import rate

_FILLS = (Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CLOSED)
_ROUNDING = 0.1  # account currency: what the cents of some deals can leave behind


class Residues:
    """Says what stands beside fills."""

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, venue: SharedPositions, quotes: Quotes
    ) -> None:
        self._run, self._clock, self._ledger = run, clock, ledger
        self._venue, self._quotes = venue, quotes

    def beside(self, following: Sequence[Record]) -> list[Record]:
        """Events that are about to be journalled, with what is booked beside their fills."""
        moved: dict[int, float] = {}
        carried: dict[tuple[str, str], float] = {}
        together: list[Record] = []
        for record in following:
            together.append(record)
            if isinstance(record, OrderEvent) and record.kind in _FILLS:
                together += self._bookings(record, moved, carried)
        return together

    def _bookings(
        self, fill: OrderEvent, moved: dict[int, float], carried: dict[tuple[str, str], float]
    ) -> Iterator[OrderEvent]:
        feed = fill.source, fill.symbol
        signed = fill.volume if fill.side == "buy" else -fill.volume
        moved[fill.venue_position] = moved.get(fill.venue_position, 0.0) + signed
        own = self._own_profit(fill)
        difference = 0.0 if own is None else round(own - fill.profit, 2)
        residue = carried.get(feed, self._ledger.book.residue.get(feed, 0.0))
        rest = round(residue - difference, 8)
        if self._is_flat(feed, moved) and abs(rest) <= _ROUNDING:
            difference, rest = round(residue, 8), 0.0
        carried[feed] = rest
        if difference:
            yield self._booked(fill, fill.strategy, difference)
            yield self._booked(fill, NETTING, -difference)

    def _own_profit(self, fill: OrderEvent) -> float | None:
        """By the strategy's average; None when nobody knows: then the broker's holds."""
        if fill.purpose == "entry" and fill.kind is not Kind.CLOSED:
            return 0.0
        held = self._ledger.book.positions.get(fill.venue_position)
        traded = instrument(fill.symbol, fill.ts_event_us)
        if held is None or traded is None:
            return None
        now, currency = self._clock.now_us(), self._venue.currency
        per_unit = rate(self._quotes, fill.source, traded.quote, currency, now)
        if per_unit is None:
            return None
        closed = fill.volume if fill.side == "sell" else -fill.volume
        return (fill.price - held.price) * closed * traded.contract_size * per_unit

    def _is_flat(self, feed: tuple[str, str], moved: dict[int, float]) -> bool:
        """Whether nobody holds anything of a feed once what is at hand is folded."""
        book, left = self._ledger.book, dict(moved)
        for held in book.of_feed(*feed):
            left[held.ticket] = left.get(held.ticket, 0.0) + held.volume
        theirs = any((f.source, f.symbol) == feed for f in book.broker.foreign.values())
        return not theirs and not any(round(volume, 8) for volume in left.values())

    def _booked(self, fill: OrderEvent, whose: str, amount: float) -> OrderEvent:
        position = 0 if whose == NETTING else fill.venue_position
        money = Fill(
            order=0, deal=0, position=position, time_us=fill.ts_event_us, side="buy", volume=0.0,
            price=0.0, commission=0.0, swap=0.0, profit=amount, cause=RESIDUE,
        )  # fmt: skip
        name = f"{fill.venue_deal}.{fill.venue_position}.{whose}"
        event = events.booked(
            money, Key(whose, fill.source, fill.symbol), fill.ts_init_us, self._run,
            f"of deal {fill.venue_deal}, by {fill.strategy}'s own average price", name=name,
        )  # fmt: skip
        return replace(event, signal_id=fill.signal_id)
