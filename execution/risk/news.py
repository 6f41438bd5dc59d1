"""What events of the economic calendar do to trading: deny entries, make them smaller, or flatten.

A rule names events by currency, importance and a pattern of their name, and holds from some
minutes before one to some minutes after. The calendar is a file of the home; what is known of an
event at a moment is its newest version that was published by then, so that a backtest sees no
reschedule before it was announced. Where rules hold and the calendar says nothing of the time at
hand, entries are denied: doubt stops trading.
"""

import fnmatch
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from core.calendar import Calendar, CalendarContent, CalendarEvent, load
from core.errors import InputError
from core.instruments import Instrument

if TYPE_CHECKING:
    from execution.risk.firm_rules import FirmRules

Importance = Literal["low", "medium", "high"]
_RANK = {"none": 0, "low": 1, "medium": 2, "high": 3}
_MINUTE_US = 60_000_000
FLATTEN = "flatten"
_log = logging.getLogger(__name__)


class NewsRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. An event of a currency concerns the symbols that are quoted in it, or priced."""

    currencies: tuple[str, ...] = ()  # of events; none: of every currency
    importance: Importance = "high"  # from this on
    name: str = "*"  # pattern of the event's name, small and capital letters alike
    symbols: tuple[str, ...] = ()  # concerned, whatever the currency; none: by currency
    before_min: float = 0.0  # the rule holds from so long before an event,
    after_min: float = 0.0  # and until so long after it
    action: Literal["deny", "reduce", "flatten"] = "deny"  # flatten denies entries, too
    keep_share: float = 0.5  # of an entry's lots, where the action is reduce


class Window(NamedTuple):
    """A span in which a rule holds. Times are microseconds, UTC; the end is excluded."""

    rule: str
    event: CalendarEvent
    begin_us: int
    end_us: int
    action: str
    keep_share: float


def of_firm(rules: "FirmRules") -> NewsRule | None:
    """A firm's own rule about news; None when it has none."""
    before, after = rules.news_before_min, rules.news_after_min
    if not (before or after):
        return None
    return NewsRule(importance=rules.news_importance, before_min=before, after_min=after)


def concerns(rule: NewsRule, event: CalendarEvent, symbol: str, traded: Instrument | None) -> bool:
    """Whether a rule, because of an event, holds for a symbol. One without reference data: yes."""
    if _RANK.get(event.importance, 3) < _RANK[rule.importance]:
        return False
    if rule.currencies and event.currency not in rule.currencies:
        return False
    if not fnmatch.fnmatchcase(event.name.casefold(), rule.name.casefold()):
        return False
    if rule.symbols:
        return symbol in rule.symbols
    return traded is None or event.currency in ("", traded.base, traded.quote)


def windows(
    rules: Mapping[str, NewsRule], events: Sequence[CalendarEvent], symbol: str,
    traded: Instrument | None,
) -> Iterator[Window]:  # fmt: skip
    """Every span in which a rule holds for a symbol."""
    for name, rule in rules.items():
        before, after = round(rule.before_min * _MINUTE_US), round(rule.after_min * _MINUTE_US)
        for event in events:
            if concerns(rule, event, symbol, traded):
                begin, end = event.ts_event_us - before, event.ts_event_us + after + 1
                yield Window(name, event, begin, end, rule.action, rule.keep_share)


def longest_us(rules: Mapping[str, NewsRule]) -> int:
    """How far from an event any rule reaches."""
    return round(max((max(r.before_min, r.after_min) for r in rules.values()), default=0.0) * 6e7)


class News:
    """What the rules say of a symbol at a moment, from a calendar as it was known then.

    Args:
        path: the calendar file; None: there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self._signature = path, (0, 0, 0)
        self._calendar: Calendar | None = Calendar(CalendarContent())
        self.problem = ""  # of the file, "" when it holds
        self.poll()

    def poll(self) -> None:
        """Look at the file; one `stat` when it has not changed. A damaged one says nothing."""
        if self._path is None or (now := _signature(self._path)) == self._signature:
            return
        self._signature = now
        try:
            self._calendar, self.problem = Calendar(load(self._path)), ""
        except InputError as error:
            self._calendar, self.problem = None, f"{error}; rules about news deny entries"
            _log.error("%s", self.problem)

    def is_silent(self, rules: Mapping[str, NewsRule], now_us: int) -> bool:
        """Whether rules hold and the calendar does not say which events there are."""
        if not rules:
            return False
        reach = longest_us(rules)
        ends = (now_us - reach, now_us, now_us + reach)
        known = self._calendar
        return known is None or not all(known.covers(at, known_us=now_us) for at in ends)

    def at(
        self, rules: Mapping[str, NewsRule], symbol: str, traded: Instrument | None, now_us: int
    ) -> tuple[Window, ...]:
        """The windows that are open, the strictest first."""
        if not rules or self._calendar is None:
            return ()
        reach = longest_us(rules)
        events = self._calendar.between(now_us - reach, now_us + reach, known_us=now_us)
        open_ = (
            w for w in windows(rules, events, symbol, traded) if w.begin_us <= now_us < w.end_us
        )
        return tuple(sorted(open_, key=_strictness))

    def flattens(
        self, rules: Mapping[str, NewsRule], symbol: str, traded: Instrument | None, now_us: int
    ) -> bool:
        """Whether positions of a symbol are to be closed now."""
        open_ = self.at(rules, symbol, traded, now_us) if rules else ()
        return bool(open_) and open_[0].action == FLATTEN

    def next_flatten_us(
        self, rules: Mapping[str, NewsRule], symbol: str, traded: Instrument | None,
        now_us: int, end_us: int,
    ) -> int | None:  # fmt: skip
        """When positions of a symbol are to be closed next, up to a time; None: not before it.

        A window opens when an event comes near, or when somebody publishes that one is near.
        """
        for moment in self._openings((FLATTEN,), rules, symbol, traded, now_us, end_us):
            if self.flattens(rules, symbol, traded, moment):
                return moment
        return None

    def next_denied_us(
        self, rules: Mapping[str, NewsRule], symbol: str, traded: Instrument | None,
        now_us: int, end_us: int,
    ) -> int | None:  # fmt: skip
        """When nothing may open in a symbol next, up to a time; None: not before it."""
        for moment in self._openings((FLATTEN, "deny"), rules, symbol, traded, now_us, end_us):
            open_ = self.at(rules, symbol, traded, moment)
            if open_ and open_[0].action != "reduce":
                return moment
        return None

    def _openings(
        self, actions: Sequence[str], rules: Mapping[str, NewsRule], symbol: str,
        traded: Instrument | None, now_us: int, end_us: int,
    ) -> list[int]:  # fmt: skip
        """When a window of such rules may open: now, and at later times up to an end."""
        chosen = {name: rule for name, rule in rules.items() if rule.action in actions}
        if not chosen or self._calendar is None:
            return []
        reach = longest_us(chosen)
        moments = {now_us}
        for event in self._calendar.content.events:
            if now_us - reach <= event.ts_event_us <= end_us + reach:
                for window in windows(chosen, [event], symbol, traded):
                    moments.add(max(window.begin_us, event.ts_published_us, now_us))
        return [moment for moment in sorted(moments) if moment <= end_us]


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return status.st_mtime_ns, status.st_ino, status.st_size


def _strictness(window: Window) -> tuple[int, float, int]:
    return {FLATTEN: 0, "deny": 1}.get(window.action, 2), window.keep_share, window.begin_us
