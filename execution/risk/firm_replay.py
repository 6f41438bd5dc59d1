"""A firm's rules in a replay: the account at every tick, also while nobody sends anything.

Floating profit is valued at each quote by what the journal says was open then, so the tick that
breaks a rule is named exactly, and a restart, which folds the same journal and reads the same
ticks, names the same one. What the terminal alone knows (swap of nights that is not booked yet)
is taken from it at the end of each slice, with the record that a restart goes on from.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.contracts.firm import FirmBreach, FirmRecord, FirmState
from core.instruments import instrument
from core.sections import RunSettings
from execution.journal.ledger import Ledger
from execution.journal.position import Position
from execution.journal.records import Record
from execution.order_path.quotes import ReplayQuotes, Tape
from execution.risk import firm_rules
from execution.risk.account_past import AccountPast, Held
from execution.risk.firm_rules import FirmRules, Readings
from execution.risk.firm_watch import record
from execution.risk.limits_file import LimitsFile
from execution.risk.news import News, of_firm
from execution.risk.retail import initial_margin_share

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
_AGAIN_US = 1_000_000  # after a look at the broker for a stop that it has not filled


class Ahead(NamedTuple):
    """The account at the quotes to come, by what is open now."""

    version: int  # of the past
    end_us: int
    looks: Readings
    breach_us: int | None  # the first look that breaks a rule


class ReplayFirm:
    """Follows one account through the slices of a run. Does nothing without a firm's rules.

    Args:
        past: folded by the ledger's activity.
    """

    def __init__(
        self, run: RunSettings, ledger: Ledger, venue: Venue, quotes: ReplayQuotes,
        limits: LimitsFile, past: AccountPast, news: News,
    ) -> None:  # fmt: skip
        self._run, self._ledger, self._venue, self._quotes = run, ledger, venue, quotes
        self._past, self._version = past, limits.rules.version
        self._firm, self._rules = limits.rules.firm or ("", FirmRules())
        own = of_firm(self._rules)
        self._news, self._news_rules = news, {self._firm: own} if own else {}
        self._begun = False
        self._ahead: Ahead | None = None
        self._looked: dict[int, int] = {}  # by position: no look at the broker before this
        self._reaches: dict[int, tuple[object, int | None]] = {}  # by position
        self._currency = ""
        self._kept_us = 0  # of the state that was journalled last

    def begin(self, now_us: int) -> None:
        """The run begins, or goes on from where its journal ends."""
        if self._begun or not self._firm:
            return
        account, activity = self._venue.account(), self._ledger.activity
        self._begun, self._currency = True, account.currency
        if activity.firm is None or activity.firm.firm != self._firm:
            balance = round(account.balance - sum(cash.amount for cash in self._past.cash), 8)
            at = firm_rules.reading(now_us, balance, balance)
            activity.firm = firm_rules.opened(self._rules, self._firm, at)
        else:
            self._kept_us = activity.firm.ts_us

    def coming(self, end_us: int, positions: Iterable[Position]) -> int | None:
        """When this slice's next quote breaks a rule, or may have reached a stop or take-profit."""
        if not self._begun or not self._past.is_open:
            return None
        ahead = self._looks_until(end_us)
        moments = [self._reached(position, end_us) for position in positions]
        return min((at for at in (ahead.breach_us, *moments) if at is not None), default=None)

    def until(self, time_us: int, *, including: bool = False) -> None:
        """Fold all quotes before a time in; `including`: those at that time, too."""
        if not self._begun or not (self._past.is_open or self._past.cash):
            return
        held = self._ahead
        end_us = max(time_us, held.end_us) if held else time_us
        looks = self._looks_until(end_us).looks
        begin = np.searchsorted(looks.time_us, self._state.ts_us, side="right")
        end = np.searchsorted(looks.time_us, time_us, side="right" if including else "left")
        self._take(looks.part(int(begin), int(end)))

    def looked(self, positions: Iterable[Position], time_us: int) -> None:
        """The broker was asked at a quote what it did: these are still open."""
        for position in positions:
            if self._reaches.get(position.ticket, (None, None))[1] == time_us:
                self._looked[position.ticket] = time_us + _AGAIN_US

    def end(self, end_us: int) -> list[Record]:
        """The slice is over: the record that a restart goes on from, if there is any news."""
        if not self._begun:
            return []
        if self._past.is_open or self._past.cash:
            self.until(end_us, including=True)
            self._take(self._at(end_us))
            swaps = {p.ticket: p.swap for p in self._venue.positions() if p.swap}
            self._ledger.activity.firm = replace(self._state, swaps=swaps)
        self._ahead = None
        self._reaches.clear()
        if self._state.ts_us == self._kept_us:
            return []
        self._kept_us = self._state.ts_us
        return [self._record(())]

    def _at(self, time_us: int) -> Readings:
        """The account at a time that is now: as the terminal says, unless that is ahead of it."""
        times = np.array([time_us])
        lots = self._past.lots_at(times)
        if any(cash.time_us > time_us for cash in self._past.cash):  # it counts fills to come
            balance = np.round(self._state.balance + self._past.cash_at(times), 8)
            valued = np.round(balance + self._floating(times), 8)
            return Readings(times, balance, valued, lots, self._margin(times))
        account = self._venue.account()
        equity = account.equity - account.credit
        margin = float(self._margin(times)[0])
        return firm_rules.reading(time_us, account.balance, equity, float(lots[0]), margin)

    @property
    def _state(self) -> FirmState:
        state = self._ledger.activity.firm
        assert state is not None  # since `begin`
        return state

    def _take(self, looks: Readings) -> None:
        """Fold looks into the state; what they broke is journalled, which stops what it stops."""
        if not len(looks.time_us):
            return
        since_us = self._state.ts_us
        state, breaches = self._folded(looks)
        near = tuple(self._near_news(since_us, state.ts_us))
        self._ledger.activity.firm = state = firm_rules.noted(state, near)
        breaches += near
        self._past.balance_until(state.ts_us)
        if breaches:
            self._ahead = None
            self._ledger.record([self._record(breaches)])

    def _folded(self, looks: Readings) -> tuple[FirmState, tuple[FirmBreach, ...]]:
        return firm_rules.fold(self._rules, self._state, looks, entries=self._past.entries)

    def _near_news(self, after_us: int, until_us: int) -> Iterator[FirmBreach]:
        """Entries around events, minutes from one; where rules are enforced there are none."""
        for at in self._past.entries if self._news_rules else ():
            if after_us < at <= until_us:
                symbol = self._past.symbols[at]
                windows = self._news.at(self._news_rules, symbol, instrument(symbol, at), at)
                for window in windows[:1]:
                    yield FirmBreach(
                        firm_rules.NEWS, at, 0.0, (at - window.event.ts_event_us) / 6e7
                    )

    def _record(self, breaches: tuple[FirmBreach, ...]) -> FirmRecord:
        state = self._state
        return record(
            self._run, self._ledger, self._rules, state, breaches, state.ts_us, self._version
        )

    def _looks_until(self, end_us: int) -> Ahead:
        """The account at each quote after the state, up to a time, as far as is known by now."""
        ahead, version = self._ahead, self._past.version
        if ahead is None or (ahead.version, ahead.end_us) != (version, end_us):
            times = self._times(self._state.ts_us, end_us)
            # To the eighth place: a sum in another order, after a restart, is then the same.
            balance = np.round(self._state.balance + self._past.cash_at(times), 8)
            equity = np.round(balance + self._floating(times), 8)
            looks = Readings(times, balance, equity, self._past.lots_at(times), self._margin(times))
            breaches = self._folded(looks)[1] if len(times) else ()
            first = min((breach.ts_us for breach in breaches), default=None)
            self._ahead = ahead = Ahead(version, end_us, looks, first)
        return ahead

    def _times(self, after_us: int, end_us: int) -> Times:
        feeds = {held.feed for held in self._past.held.values()}
        tapes = [self._quotes.tape_of(*feed).time_us for feed in feeds]
        cuts = [np.searchsorted(times, [after_us, end_us], side="right") for times in tapes]
        parts = [times[begin:end] for times, (begin, end) in zip(tapes, cuts, strict=True)]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def _floating(self, times: Times) -> Floats:
        """Floating profit of all positions, account currency, at the side that closes them."""
        total = np.zeros(len(times))
        for ticket, held in self._past.held.items():
            total += self._worth(held, times, self._state.swaps.get(ticket, 0.0))
        return total

    def _worth(self, held: Held, times: Times, swap: float) -> Floats:
        tape = self._quotes.tape_of(*held.feed)
        traded = instrument(held.feed[1], held.steps[0][0])
        if traded is None or not len(tape.time_us):
            return np.zeros(len(times))
        bid, ask = _standing(tape, times)
        lots = held.lots_at(times)
        closing = np.where(lots > 0, np.minimum(bid, ask), np.maximum(bid, ask))
        move = (closing - held.price) * lots * traded.contract_size
        rates = self._rates(held.feed[0], traded.quote, times)
        return np.asarray(move * rates + np.where(lots != 0, swap, 0.0))

    def _margin(self, times: Times) -> Floats:
        """A retail client's initial margin of all positions, as they were opened."""
        total = np.zeros(len(times))
        for held in self._past.held.values() if self._rules.retail else ():
            traded = instrument(held.feed[1], held.steps[0][0])
            if traded is not None:
                share = initial_margin_share(traded, self._rules.retail_margins)
                lots = np.abs(held.lots_at(times))
                rates = self._rates(held.feed[0], traded.quote, times)
                total += lots * traded.contract_size * held.price * rates * share
        return np.round(total, 8)

    def _rates(self, source: str, currency: str, times: Times) -> Floats:
        """Account currency for one unit at each time, by the quote that stood then."""
        if currency == self._currency:
            return np.ones(len(times))
        for symbol, inverted in (
            (currency + self._currency, False),
            (self._currency + currency, True),
        ):
            tape = self._quotes.tape_of(source, symbol)
            if len(tape.time_us):
                mid = sum(_standing(tape, times)) / 2
                return np.asarray(1.0 / mid if inverted else mid)
        return np.zeros(len(times))  # execution sends no entry without a rate

    def _reached(self, position: Position, end_us: int) -> int | None:
        """The next quote at which the broker may close a position; None in this slice."""
        since = self._looked.get(position.ticket, 0)
        key = (position.stop_price, position.take_profit, since, end_us)
        known, at = self._reaches.get(position.ticket, (None, None))
        if known != key or (at is not None and at <= self._state.ts_us):
            begin = max(self._state.ts_us + 1, position.opened_us, since)
            tape = self._quotes.tape_of(position.key.source, position.key.symbol)
            at = _first_reach(tape, position, begin, end_us)
            self._reaches[position.ticket] = key, at
        return at


def _first_reach(tape: Tape, position: Position, begin_us: int, end_us: int) -> int | None:
    begin, end = np.searchsorted(tape.time_us, [begin_us, end_us + 1])
    bid, ask = tape.bid[begin:end], tape.ask[begin:end]
    sign = 1.0 if position.volume > 0 else -1.0
    closing = sign * (np.minimum(bid, ask) if sign > 0 else np.maximum(bid, ask))
    reached = np.zeros(len(closing), np.bool_)
    if position.stop_price:
        reached |= closing <= sign * position.stop_price
    if position.take_profit:
        reached |= closing >= sign * position.take_profit
    return int(tape.time_us[begin + int(np.argmax(reached))]) if reached.any() else None


def _standing(tape: Tape, times: Times) -> tuple[Floats, Floats]:
    """Bid and ask that stood at each time; before the first quote that one."""
    at = np.maximum(np.searchsorted(tape.time_us, times, side="right") - 1, 0)
    return tape.bid[at], tape.ask[at]
