"""A netting account whose one position of a symbol several strategies share (ADR 0019).

It takes the place of the venue. Each strategy sees positions of its own, as on a hedging account;
what is sent is a plain deal that moves the account's position by one strategy's lots, with the
farthest stop of those on the side that results. Before anything is sent, account and books must
agree: what they do not agree on was not taken up yet, and an order could open what it shall close.
"""

from collections.abc import Callable, Collection

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Outcome, VenueOrder, VenuePosition
from core.desk import Desk
from core.errors import UnavailableError
from execution.journal import virtual
from execution.journal.book import UNSENT, Book
from execution.journal.position import Key, Position

_TINY = 1e-9


def shared(venue: Venue, book: Book, desk: Desk, *, repeatable: bool = False) -> Venue:
    """The venue, or on a netting account of several strategies the one that shares its positions.

    Also for one strategy while positions of several are open still.

    Raises:
        UnavailableError: the terminal does not answer.
    """
    several = len(desk.names) > 1 or any(map(virtual.is_virtual, book.positions))
    if not several or not venue.netting:
        return venue
    return SharedPositions(venue, book, repeatable=repeatable)


class SharedPositions(Venue):
    """Implements Venue: the same terminal, positions by strategy."""

    shared = True

    def __init__(self, venue: Venue, book: Book, *, repeatable: bool = False) -> None:
        super().__init__(venue._terminal, venue._history_s)
        self._book, self._repeatable = book, repeatable
        self._currency = ""
        self.state_to_open: Callable[[], str] = lambda: ""  # why nothing may open; the engine's

    def send(self, order: VenueOrder) -> Outcome:
        """Send once, as a deal of the whole; `rejected` while account and books differ."""
        if order.entry != "market":  # it waits alone in its symbol (`symbol_taken`)
            return super().send(order)
        feed = order.source, order.symbol
        try:
            held = self.whole(*feed)
        except UnavailableError as error:  # nothing was sent; a replay sends it once it can
            return Outcome("unknown" if self._repeatable else "rejected", f"{error}, {UNSENT}")
        net, booked = held.volume if held else 0.0, self._book.account_lots(*feed)
        if abs(net - booked) > _TINY:
            text = f"the account holds {net} lots, the books {booked}, {UNSENT}"
            return Outcome("rejected", text)
        if not order.position and (state := self.state_to_open()):  # looking took a moment
            return Outcome("rejected", f"{state} {UNSENT}")
        return super().send(self._of_the_whole(order, held))

    def find(self, order: VenueOrder, since_us: int) -> Outcome:
        """What became of an order; its fills are of its strategy's position."""
        outcome = super().find(order, since_us)
        return self._of_its_strategy(order, outcome)

    def named(self, order: VenueOrder, since_us: int, tickets: tuple[int, ...]) -> Outcome:
        """An order filled by deals that a person names."""
        outcome = super().named(replace(order, position=0), since_us, tickets)
        return self._of_its_strategy(order, outcome)

    def split(self, position: Position, volume: float) -> tuple[float, ...]:
        """A closing in parts that the broker's stop cannot get in the way of.

        What makes the account's position smaller names it, and is refused where the stop was
        quicker; what goes beyond it follows when the account is flat, where no stop stands.
        """
        net = self._book.account_lots(*position.key[1:])
        first = min(volume, abs(net)) if net * position.volume > 0 else 0.0
        rules = self.specification(*position.key[1:])
        least, rest = (rules.volume_min if rules else 0.0) - _TINY, round(volume - first, 8)
        return (first, rest) if first >= least and rest >= max(least, _TINY) else (volume,)

    @property
    def currency(self) -> str:
        """The account's. Asked once, for it never changes."""
        self._currency = self._currency or self.account().currency
        return self._currency

    def whole(self, source: str, symbol: str) -> VenuePosition | None:
        """The account's position of a feed, with the ticket that requests name; None: it is flat.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        name = self._names[source, symbol]
        held = self._terminal.positions_get(name)
        if held is None:
            raise UnavailableError(f"no positions: {self._terminal.last_error()[1]}")
        return next((replace(self._position(p), ticket=p.ticket) for p in held), None)

    def _of_the_whole(self, order: VenueOrder, held: VenuePosition | None) -> VenueOrder:
        """A deal that needs no position, or one that cannot open anything where it only reduces."""
        signed = order.volume if order.side == "buy" else -order.volume
        net = held.volume if held else 0.0
        reduces = bool(order.position) and net * signed < 0 and order.volume <= abs(net) + _TINY
        after = net + signed
        stop = 0.0
        if after * signed > _TINY:  # a stop on the other side the venue would refuse
            stop = virtual.guard(self._stops_after(order, after), after)
        return replace(
            order, position=held.ticket if held and reduces else 0,
            stop_price=0.0 if reduces else stop, take_profit=0.0,
        )  # fmt: skip

    def _stops_after(self, order: VenueOrder, after: float) -> Collection[float]:
        """Of the strategies on the side that results; what is closed has none any more."""
        held = self._book.of_feed(order.source, order.symbol)
        along = [p for p in held if p.volume * after > 0 and p.ticket != order.position]
        return [*(p.stop_price for p in along), *([order.stop_price] if order.stop_price else [])]

    def _of_its_strategy(self, order: VenueOrder, outcome: Outcome) -> Outcome:
        if not outcome.fills:
            return outcome
        submitted = self._book.unsettled[order.order_id]
        held = self._book.of(Key(submitted.strategy, order.source, order.symbol))
        opened = virtual.ticket_of(min(fill.deal for fill in outcome.fills))
        ticket = order.position or (held[0].ticket if held else opened)
        fills = tuple(replace(fill, position=ticket) for fill in outcome.fills)
        return replace(outcome, fills=fills)
