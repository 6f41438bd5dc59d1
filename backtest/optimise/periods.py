"""Market time in equal periods, and what trades brought in each: what ratios and folds are made of.

A trade belongs to a part of the span only when it was opened and closed within it. That purges: no
result of one part reaches into the next, where other parameters are judged. More need not be left
out, for nothing is fitted to rows; only trades carry answers, and they reach as far as they live.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backtest.optimise.broker import FeedTrade
from backtest.optimise.shared import SharedMarket

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

_HOUR_US, _DAY_US = 3_600_000_000, 86_400_000_000
_LEAST_DAYS = 40  # of fewer, hours are taken
_YEARLY = {"hour": 24 * 260, "day": 260}  # trading hours and days a year


class Part(NamedTuple):
    """Periods from `begin` up to but without `end`, as indices."""

    begin: int
    end: int


class Periods(NamedTuple):
    """The hours or UTC days in which any feed had a row. `starts_us` (T,)."""

    unit: str
    starts_us: Times

    @property
    def per_year(self) -> int:
        """How many make a year."""
        return _YEARLY[self.unit]

    @property
    def whole(self) -> Part:
        """All of them."""
        return Part(0, len(self.starts_us))

    def parts(self, count: int) -> list[Part]:
        """Equally many periods each, in order."""
        edges = np.linspace(0, len(self.starts_us), count + 1).round().astype(int).tolist()
        return [Part(begin, end) for begin, end in pairwise(edges)]

    def text(self, index: int) -> str:
        """When a period begins; of the one after the last, when that one ended. UTC."""
        last = len(self.starts_us) - 1
        extra = _HOUR_US if index > last and self.unit == "hour" else _DAY_US if index > last else 0
        moment = np.datetime64(int(self.starts_us[min(index, last)]) + extra, "us")
        return str(np.datetime_as_string(moment, unit="m")).replace("T", " ")


class Ledger(NamedTuple):
    """Trades of one trial as arrays (n,): times in Unix microseconds, net money."""

    opened_us: Times
    closed_us: Times
    net: Floats


def periods_of(markets: Sequence[SharedMarket]) -> Periods:
    """The periods of all feeds together."""
    times = [feed.time_msc for market in markets for feed in market.feeds_traded]
    joined = np.concatenate([*times, np.zeros(0, np.int64)]) * 1000
    days = np.unique(joined // _DAY_US)
    if len(days) >= _LEAST_DAYS:
        return Periods("day", days * _DAY_US)
    return Periods("hour", np.unique(joined // _HOUR_US) * _HOUR_US)


def ledger(trades: Sequence[FeedTrade]) -> Ledger:
    """Trades as arrays."""
    opened = np.array([t.trade.opened_us for t in trades], np.int64)
    closed = np.array([t.trade.closed_us for t in trades], np.int64)
    return Ledger(opened, closed, np.array([t.trade.net for t in trades], np.float64))


def within(book: Ledger, periods: Periods, part: Part) -> Ledger:
    """The trades that were opened and closed within a part."""
    begin = periods.starts_us[part.begin]
    end = periods.starts_us[part.end] if part.end < len(periods.starts_us) else np.int64(1 << 62)
    inside = (book.opened_us >= begin) & (book.closed_us < end)
    return Ledger(book.opened_us[inside], book.closed_us[inside], book.net[inside])


def returns(book: Ledger, periods: Periods, part: Part, deposit: float) -> Floats:
    """What a part's own trades booked in each of its periods, as a share of the deposit.

    A trade counts when it closes; what floats meanwhile is the real backtest's to say.
    """
    own, count = within(book, periods, part), part.end - part.begin
    place = np.searchsorted(periods.starts_us, own.closed_us, side="right") - 1 - part.begin
    sums = np.bincount(np.clip(place, 0, count - 1), own.net, minlength=count)
    return np.asarray(sums, np.float64) / deposit
