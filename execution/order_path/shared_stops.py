"""Stops of strategies that share a netting account's position of a symbol.

The account has one stop for the whole. So strategies' stops and take-profits are kept here and sent
as closings of their lots; at the broker stands the farthest stop of those on the side that the
account has, for when execution is dead. Where the price is beyond that one as well, the broker
closes, and only what it leaves is closed here.
"""

import math
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from adapters.mt5.venue.venue import Outcome, VenuePosition
from core.clock import Clock, Timer
from core.contracts.order import EventKind as Kind
from core.errors import UnavailableError
from core.sections import ExitSettings, RunSettings
from execution.broker.shared_position import SharedPositions
from execution.journal import virtual
from execution.journal.ledger import Ledger
from execution.journal.position import Position
from execution.order_path.exits import Exit
from execution.order_path.quotes import Quotes
from execution.order_path.stops import SURE_S, WAIT_S, Stops
from execution.risk.limits_file import LimitsFile

_LEFT_S = 2.0  # to the broker, when the price is beyond its stop
STOP, TAKE_PROFIT = "stop", "take_profit"
Feed = tuple[str, str]


class SharedStops(Stops):
    """Implements Stops for `SharedPositions`."""

    shared = True

    def __init__(
        self, settings: ExitSettings, run: RunSettings, clock: Clock, ledger: Ledger,
        venue: SharedPositions, quotes: Quotes, limits: LimitsFile, timer: Timer,
        late_s: float = 10.0,
    ) -> None:  # fmt: skip
        super().__init__(
            settings=settings, run=run, clock=clock, ledger=ledger, venue=venue, quotes=quotes,
            limits=limits, timer=timer, late_s=late_s,
        )  # fmt: skip
        self._whole = venue
        self._standing: dict[Feed, float] = {}  # the broker's stop, when last seen
        self._beyond_s: dict[int, float] = {}  # by position: since when it is left to the broker
        self._moved_s: dict[int, float] = {}  # by position: when its own stop moved last

    def follow(self) -> None:
        """Move what trails, and have the broker's stop follow; some times a second.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        book = self._ledger.book
        for position in list(book.positions.values()):
            if position.trail and not position.moving and self._may_move(position):
                self.move(position)
        for feed in self._feeds():
            if book.is_blocked(*feed):
                continue
            held = self._whole.whole(*feed)
            self._standing[feed] = held.stop_price if held else 0.0
            self._guard(feed, held)

    def due(self) -> list[Exit]:
        """Closings of positions whose stop or take-profit the newest quote has reached."""
        now, exits = self._clock.now_us(), list[Exit]()
        for position in self._ledger.book.positions.values():
            quote = self._quotes.at(*position.key[1:], now)
            if quote is None or position.refused:
                continue
            price = quote.side("sell" if position.volume > 0 else "buy")
            purpose = reached(position, price)
            if purpose and not (purpose == STOP and self._is_the_brokers(position, price)):
                exits.append(Exit(now, position, purpose, False))
        return exits

    def move(self, position: Position) -> bool:
        """Move a strategy's own stop, which no venue knows; False when it stays where it is."""
        stop = self._wanted(position)
        if stop is None:
            return False
        self._moved_s[position.ticket] = self._timer.seconds()
        self._journal(position, Kind.STOP_MOVED, stop)
        return True

    def _may_move(self, position: Position) -> bool:
        """By a clock of its own: in a trend the broker's stop would else never get its turn."""
        last_s = self._moved_s.get(position.ticket, -math.inf)
        return self._timer.seconds() - last_s >= self._settings.trail_interval_s

    def settle(self, position: Position) -> None:
        """Poll a replay's venue until the whole has the stop of one position."""
        deadline, stop = self._timer.seconds() + SURE_S, position.moving
        while self._timer.seconds() <= deadline:
            held = self._whole.whole(*position.key[1:])
            if held is None:
                self._journal(position, Kind.STOP_KEPT, stop, "the account is flat")
                return
            answer = Outcome("done") if self._stands(held, stop) else self._ask(held, stop)
            if answer.kind != "unknown":
                self._conclude(position, stop, answer)
                return
            self._timer.sleep(WAIT_S)
        raise UnavailableError(
            f"{position.key.symbol}: the terminal does not say which stop it has; restart it,"
            " execution then goes on"
        )

    def guard(self) -> None:
        """Have the broker's stops be the farthest, at the market's time: for a replay."""
        for feed in self._feeds():
            held = self._whole.whole(*feed)
            bearer = self._bearer(feed, held)
            if held is None or bearer is None or not self._is_wanted(bearer, held):
                continue
            if self.due_us(bearer) <= self._clock.now_us() or not bearer.moved_us:
                self._journal(bearer, Kind.STOP_MOVING, bearer.stop_price)
                self._ledger.sync()
                self.settle(bearer)

    def _guard(self, feed: Feed, held: VenuePosition | None) -> None:
        moving = [p for p in self._ledger.book.of_feed(*feed) if p.moving]
        if moving:
            self._find_guard(moving[0], held)
            return
        bearer = self._bearer(feed, held)
        if held is None or bearer is None or not self._is_wanted(bearer, held):
            return
        if self._may_request(bearer):
            self._request(bearer, held, bearer.stop_price)

    def _find_guard(self, position: Position, held: VenuePosition | None) -> None:
        """Whether the broker took a stop whose request had no answer."""
        requested_s = self._requested_s.setdefault(position.ticket, self._timer.seconds())
        if held is not None and self._stands(held, position.moving):
            self._journal(position, Kind.STOP_MOVED, position.moving)
        elif self._timer.seconds() - requested_s >= self._late_s:
            self._journal(position, Kind.STOP_KEPT, position.moving, "no answer, and not there")

    def _bearer(self, feed: Feed, held: VenuePosition | None) -> Position | None:
        """Whose stop the whole shall have."""
        net = held.volume if held else 0.0
        along = [p for p in self._ledger.book.of_feed(*feed) if p.volume * net > 0]
        level = virtual.guard([p.stop_price for p in along], net)
        return next((p for p in along if level and p.stop_price == level), None)

    def _is_wanted(self, bearer: Position, held: VenuePosition) -> bool:
        """Whether the broker's stop is another, and would be taken where the market is."""
        if self._stands(held, bearer.stop_price):
            return False
        rules = self._venue.specification(*bearer.key[1:])
        quote = self._quotes.at(*bearer.key[1:], self._clock.now_us())
        if rules is None or quote is None:
            return False
        sign = 1 if held.volume > 0 else -1
        price = quote.side("sell" if sign > 0 else "buy")
        room = sign * (price - bearer.stop_price)
        frozen = rules.freeze_distance and abs(price - held.stop_price) <= rules.freeze_distance
        return room > max(rules.stops_distance, rules.point) and not (held.stop_price and frozen)

    def _stands(self, held: VenuePosition, stop: float) -> bool:
        """With the stop of the whole, and no take-profit, which would close everybody's."""
        return self._same(held, stop) and not held.take_profit

    def _ask(self, held: VenuePosition, stop: float) -> Outcome:
        return self._venue.move_stop(replace(held, take_profit=0.0), stop)

    def _is_the_brokers(self, position: Position, price: float) -> bool:
        """Whether the broker's own stop closes it now; it is given a moment to."""
        book, feed = self._ledger.book, position.key[1:]
        standing, net = self._standing.get(feed, 0.0), book.account_lots(*feed)
        sign = 1 if position.volume > 0 else -1
        if not standing or net * sign <= 0 or sign * (price - standing) > 0:
            self._beyond_s.pop(position.ticket, None)
            return False
        since_s = self._beyond_s.setdefault(position.ticket, self._timer.seconds())
        return self._timer.seconds() - since_s < _LEFT_S

    def _feeds(self) -> Collection[Feed]:
        return dict.fromkeys(p.key[1:] for p in self._ledger.book.positions.values())


def reached(position: Position, price: float) -> str:
    """What closes a position at a price of its closing side; "" for nothing."""
    sign = 1 if position.volume > 0 else -1
    if position.stop_price and sign * (price - position.stop_price) <= 0:
        return STOP
    if position.take_profit and sign * (price - position.take_profit) >= 0:
        return TAKE_PROFIT
    return ""


def levels(position: Position) -> Iterator[tuple[str, float, bool]]:
    """Prices at which a position closes: why, the level, and whether falling prices reach it."""
    if position.stop_price:
        yield STOP, position.stop_price, position.volume > 0
    if position.take_profit:
        yield TAKE_PROFIT, position.take_profit, position.volume < 0
