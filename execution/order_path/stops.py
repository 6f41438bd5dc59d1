"""Moves the stops of positions that trail: journal, ask the venue, journal what it did.

A stop never loosens. While it is not known whether the venue took one, no other is asked for:
what arrives late could undo what came after it. The position itself says which stop it has, so a
lost answer or a restart is settled by looking; a stop that a person moved is taken as it is.
"""

import logging
import math

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Outcome, Specification, VenuePosition
from core.clock import Clock, Timer
from core.contracts.order import EventKind as Kind
from core.crashpoint import reach
from core.errors import UnavailableError
from core.sections import ExitSettings, RunSettings
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Position
from execution.order_path import trailing
from execution.order_path.exits import Exit
from execution.order_path.quotes import Quotes
from execution.risk.limits_file import LimitsFile

_log = logging.getLogger(__name__)
WAIT_S = 0.01
SURE_S = 60.0


class Stops:
    """Follows prices with the stops of our positions.

    Args:
        timer: of the machine, or the market's in a replay.
        late_s: how long a request without an answer may still arrive at the broker.
    """

    #: Whether a strategy's stop is kept here, and the venue's is the whole account's.
    shared = False

    def __init__(
        self, settings: ExitSettings, run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue,
        quotes: Quotes, limits: LimitsFile, timer: Timer, late_s: float = 10.0,
    ) -> None:  # fmt: skip
        self._settings, self._run, self._clock, self._ledger = settings, run, clock, ledger
        self._venue, self._quotes, self._limits, self._timer = venue, quotes, limits, timer
        self._late_s = late_s
        self._requested_s: dict[int, float] = {}  # by position: this process's last request

    def follow(self) -> None:
        """Poll all positions once; for live execution, every so often.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        mine = [p for p in self._ledger.book.positions.values() if p.trail or p.moving]
        if not mine:
            return
        there = {held.ticket: held for held in self._venue.positions()}
        for position in mine:
            held = there.get(position.ticket)
            if held is not None and not self._ledger.book.is_blocked(*position.key[1:]):
                self._follow(position, held)

    def move(self, position: Position) -> bool:
        """Move one stop at the market's time, for a replay; False when it stays where it is."""
        stop = self._wanted(position)
        if stop is None:
            return False
        self._journal(position, Kind.STOP_MOVING, stop)
        self._ledger.sync()
        self.settle(position)
        return True

    def settle(self, position: Position) -> None:
        """Poll a replay's venue until it has decided; what it did not get is sent (again).

        Raises:
            UnavailableError: it does not answer.
        """
        deadline, stop = self._timer.seconds() + SURE_S, position.moving
        while self._timer.seconds() <= deadline:
            held = next((h for h in self._venue.positions() if h.ticket == position.ticket), None)
            if held is None:
                self._journal(position, Kind.STOP_KEPT, stop, "the position is closed")
                return
            answer = Outcome("done")
            if not self._same(held, stop):
                answer = self._ask(held, stop)
            if answer.kind != "unknown":
                self._conclude(position, stop, answer)
                return
            self._timer.sleep(WAIT_S)
        raise UnavailableError(
            f"position {position.ticket}: the terminal does not say which stop it has; restart it,"
            " execution then goes on"
        )

    def due_us(self, position: Position) -> int:
        """Not before this may a replay move a position's stop again."""
        interval_us = round(self._settings.trail_interval_s * 1e6)
        return max(position.moved_us + interval_us, position.opened_us)

    def reach(self, position: Position) -> float | None:
        """The closing price from which on a stop may move; None for one that stays."""
        specification = self._venue.specification(*position.key[1:])
        if not position.trail or specification is None:
            return None
        return trailing.reach(position, specification, self._settings.trail_step)

    def _follow(self, position: Position, held: VenuePosition) -> None:
        if position.moving:
            self._find_moved(position, held)
        elif not self._same(held, position.stop_price):
            self._journal(position, Kind.STOP_MOVED, held.stop_price, "moved at the terminal")
        elif self._may_request(position) and (stop := self._wanted(position)) is not None:
            self._request(position, held, stop)

    def _find_moved(self, position: Position, held: VenuePosition) -> None:
        """Whether a stop whose request had no answer has moved."""
        requested_s = self._requested_s.setdefault(position.ticket, self._timer.seconds())
        if self._same(held, position.moving):
            self._journal(position, Kind.STOP_MOVED, position.moving)
        elif self._timer.seconds() - requested_s >= self._late_s:
            self._journal(position, Kind.STOP_KEPT, position.moving, "no answer, and not there")

    def _request(self, position: Position, held: VenuePosition, stop: float) -> None:
        self._journal(position, Kind.STOP_MOVING, stop)
        self._ledger.sync()
        self._requested_s[position.ticket] = self._timer.seconds()
        reach("execution.stop.before")
        answer = self._ask(held, stop)
        reach("execution.stop.after")
        if answer.kind == "unknown":
            _log.warning("stop of position %s: no answer (%s)", position.ticket, answer.reason)
            return
        self._conclude(position, stop, answer)

    def guard(self) -> None:
        """Nothing: every position has its own stop at the venue."""

    def due(self) -> list[Exit]:
        """Nothing: the venue closes at stops and take-profits."""
        return []

    def _ask(self, held: VenuePosition, stop: float) -> Outcome:
        return self._venue.move_stop(held, stop)

    def _conclude(self, position: Position, stop: float, answer: Outcome) -> None:
        kind = Kind.STOP_MOVED if answer.kind == "done" else Kind.STOP_KEPT
        self._journal(position, kind, stop, "" if answer.kind == "done" else answer.reason)

    def _may_request(self, position: Position) -> bool:
        """Whether interval and message rate leave room; half of the rate is for orders."""
        now_s, ticket = self._timer.seconds(), position.ticket
        if now_s - self._requested_s.get(ticket, -math.inf) < self._settings.trail_interval_s:
            return False
        now = self._clock.now_us()
        limits = self._limits.rules.at(position.key.symbol, now)[0]
        return self._ledger.activity.messages(now) + 1 <= limits.max_messages_per_second / 2

    def _wanted(self, position: Position) -> float | None:
        key = position.key
        quote = self._quotes.at(key.source, key.symbol, self._clock.now_us())
        specification = self._venue.specification(key.source, key.symbol)
        if not position.trail or quote is None or specification is None:
            return None
        return trailing.wanted(position, quote, specification, self._settings.trail_step)

    def _same(self, held: VenuePosition, stop: float) -> bool:
        specification: Specification | None = self._venue.specification(held.source, held.symbol)
        return abs(held.stop_price - stop) < (specification.point / 2 if specification else 1e-9)

    def _journal(self, position: Position, kind: Kind, stop: float, reason: str = "") -> None:
        event = events.of_stop(position, kind, stop, self._clock.now_us(), self._run)
        if reason == "moved at the terminal":
            event = replace(event, purpose="manual")
        self._ledger.record([replace(event, reason=reason)])
