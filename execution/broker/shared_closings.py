"""What the broker, or a person, did to a position that several strategies share.

What made the account's position smaller is shared out among the strategies on its side, in
proportion to their lots; a person's own lots go first where a person did it. The rest of a deal is
somebody else's, and suspends the feed until that volume is gone.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from adapters.mt5.venue.venue import Deal, Fill
from core.clock import Clock
from core.sections import RunSettings
from execution.broker.closings import Closings
from execution.broker.residues import Residues
from execution.broker.shared_position import SharedPositions
from execution.journal import events, virtual
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.journal.records import Record

_TINY = 1e-9


class SharedClosings(Closings):
    """Takes up deals that no order of ours made."""

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, venue: SharedPositions,
        residues: Residues,
    ) -> None:  # fmt: skip
        super().__init__(run, clock, ledger, venue)
        self._residues = residues

    def poll(self) -> None:
        """Ask for what changed the account where books and account differ.

        Feeds with an unsettled order wait for that one.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book = self._ledger.book
        held = [p for p in book.positions.values() if not book.is_blocked(*p.key[1:])]
        if not held:
            return
        there = {(h.source, h.symbol): h.volume for h in self._venue.positions()}
        gone = {
            p.key[1:]
            for p in held
            if abs(there.get(p.key[1:], 0.0) - book.account_lots(*p.key[1:])) > _TINY
        }
        if not gone:
            return
        since = min(p.opened_us for p in held if p.key[1:] in gone)
        for deal in self._venue.deals(since):
            if (deal.source, deal.symbol) in gone and deal.entry and self._is_new(deal):
                self.take(deal)

    def take(self, deal: Deal) -> None:
        """Journal one deal that no order of ours made."""
        self._ledger.record(self._residues.beside(self.shared_out(deal)))

    def shared_out(self, deal: Deal) -> Sequence[Record]:
        """Each strategy's share of a deal, and others'."""
        book, fill, feed = self._ledger.book, deal.fill, (deal.source, deal.symbol)
        signed = fill.volume if fill.side == "buy" else -fill.volume
        net = book.account_lots(*feed)
        # Not by the account's side now: an order of ours may have been filled after this deal.
        along = [p for p in book.of_feed(*feed) if p.volume * signed < 0]
        held = [abs(p.volume) for p in along]
        ours = min(self._reducing(deal, signed, net), round(sum(held), 8))
        given = self._lots(ours, held, feed)
        rest = round(fill.volume - sum(given), 8)
        parts = _parts(fill, [*given, rest])
        now = self._clock.now_us()
        closed: list[Record] = [
            events.closed(position, replace(part, position=position.ticket), now, self._run)
            for position, part in zip(along, parts, strict=False)
            if part.volume
        ]
        return [*closed, self._others(deal, parts[-1], now)] if rest > 0 else closed

    def _is_new(self, deal: Deal) -> bool:
        """Whether it is for us to share out: what looks like an order of ours done twice is not."""
        book, number = self._ledger.book, deal.fill.deal
        ours = deal.fill.cause == "expert" and deal.magic in book.magics
        return number not in book.deals and number > book.broker.watermark and not ours

    def _reducing(self, deal: Deal, signed: float, net: float) -> float:
        """Lots of a deal that are the strategies' to lose."""
        if deal.entry == "in":
            return 0.0
        left, theirs = deal.fill.volume, self._theirs(deal.source, deal.symbol)
        if deal.entry == "reverse":
            left = min(left, abs(net)) if net * signed < 0 else 0.0
        if deal.fill.cause == "manual" and theirs * signed < 0:  # a person's own lots first
            left = max(left - abs(theirs), 0.0)
        return left

    def _lots(self, ours: float, held: Sequence[float], feed: tuple[str, str]) -> list[float]:
        rules = self._venue.specification(*feed)
        return virtual.lots_shared(ours, held, rules.volume_step if rules else 0.01)

    def _theirs(self, *feed: str) -> float:
        foreign = self._ledger.book.broker.foreign.values()
        return sum(f.volume for f in foreign if (f.source, f.symbol) == feed)

    def _others(self, deal: Deal, rest: Fill, now: int) -> Record:
        position = self.place_of_others(deal.source, deal.symbol, rest.position)
        theirs = replace(rest, position=position)
        key = Key("", deal.source, deal.symbol)
        return events.booked(theirs, key, now, self._run, deal.comment, suspends=True)

    def place_of_others(self, source: str, symbol: str, position: int) -> int:
        """What others hold of a feed is one volume, whichever position it went into."""
        foreign = self._ledger.book.broker.foreign.items()
        feed = source, symbol
        return next((t for t, f in foreign if (f.source, f.symbol) == feed), position)


def _parts(fill: Fill, lots: Sequence[float]) -> list[Fill]:
    """A deal in parts of some lots each, money to the cent."""
    money = [
        virtual.cents_shared(amount, lots) for amount in (fill.commission, fill.swap, fill.profit)
    ]
    return [
        replace(fill, volume=volume, commission=commission, swap=swap, profit=profit)
        for volume, commission, swap, profit in zip(lots, *money, strict=True)
    ]
