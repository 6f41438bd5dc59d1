"""The tape of one feed: where matching looks up quotes, without holding the whole feed.

Ticks come in segments (a chunk of a file, a generated day). Rows that a broker could not have
traded on, because a price is not a positive number or the row is late, are left out of the
quotes; the rows themselves stay, in source order, for copy_ticks.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK

_EARLIEST_MSC = 0
_LATEST_MSC = 4_102_444_800_000  # 2100-01-01
_HOUR_MSC = 3_600_000

Ticks = npt.NDArray[Any]  # dtype MT5_TICK, shape (n,)
Times = npt.NDArray[np.int64]


class Quote(NamedTuple):
    """One tradable quote."""

    time_msc: int
    bid: float
    ask: float

    @property
    def sell(self) -> float:
        """What a seller gets. On a crossed quote the worse price: no broker gives that away."""
        return min(self.bid, self.ask)

    @property
    def buy(self) -> float:
        """What a buyer pays; see `sell`."""
        return max(self.bid, self.ask)


class SlicedTicks(Protocol):
    """Ticks that are looked at in parts: an array, or what makes one of each part."""

    def __getitem__(self, part: slice, /) -> Ticks: ...


class Segment(NamedTuple):
    """Consecutive ticks of a feed, and the tradable quotes among them in time order."""

    number: int
    ticks: SlicedTicks
    reached: Times  # market time reached at each tick
    time: Times  # of each tradable quote; as bid and ask, shape (m,)
    bid: npt.NDArray[np.float64]
    ask: npt.NDArray[np.float64]
    low: float  # of what sellers get; inf without a tradable quote
    high: float  # of what buyers pay

    def quote(self, index: int) -> Quote:
        """The tradable quote at an index."""
        return Quote(int(self.time[index]), float(self.bid[index]), float(self.ask[index]))


def reached(time: Times, before_msc: int = 0) -> Times:
    """Market time reached at each row: the running maximum, shape (n,).

    A row that the next one contradicts by over an hour, or outside 1970 to 2100, is a wrong
    clock and does not count; else one such row would make every later one late.
    """
    wrong = (time <= _EARLIEST_MSC) | (time >= _LATEST_MSC)
    wrong[:-1] |= time[:-1] > time[1:] + _HOUR_MSC
    counted = np.where(wrong, before_msc, time)
    return np.maximum(np.maximum.accumulate(counted), before_msc)


def segment(number: int, ticks: Ticks, before_msc: int = 0) -> Segment:
    """A segment from its ticks and the market time reached before it."""
    times = reached(ticks["time_msc"], before_msc)
    bid, ask = ticks["bid"], ticks["ask"]
    tradable = (times == ticks["time_msc"]) & (bid > 0) & (ask > 0)
    tradable &= np.isfinite(bid) & np.isfinite(ask)
    bid, ask = bid[tradable], ask[tradable]
    low = float(np.minimum(bid, ask).min(initial=np.inf))
    high = float(np.maximum(bid, ask).max(initial=-np.inf))
    return Segment(
        number=number, ticks=ticks, reached=times, time=times[tradable], bid=bid, ask=ask, low=low,
        high=high,
    )  # fmt: skip


class Tape(ABC):
    """Searches over the segments of one feed. Times are inclusive milliseconds."""

    @abstractmethod
    def at(self, time_msc: int) -> Segment | None:
        """The first segment that reaches a time; the last one when none does."""

    @abstractmethod
    def following(self, number: int) -> Segment | None:
        """The segment after `number`; None at the end."""

    @abstractmethod
    def before(self, number: int) -> Quote | None:
        """The newest quote before the segment `number`."""

    def ended(self, time_msc: int) -> bool:
        """Whether the tape is over before a time, so that no quote means nothing."""
        return False

    def first_from(self, time_msc: int, limit_msc: int) -> Quote | None:
        """The first quote from a time on, not later than `limit_msc`."""
        part = self.at(time_msc)
        while part is not None:
            index = int(np.searchsorted(part.time, time_msc))
            if index < len(part.time):
                first = part.quote(index)
                return first if first.time_msc <= limit_msc else None
            part = self._within(part, limit_msc)
        return None

    def last_until(self, time_msc: int) -> Quote | None:
        """The newest quote at a time."""
        part = self.at(time_msc)
        newest = None
        while part is not None:
            index = int(np.searchsorted(part.time, time_msc, side="right"))
            newest = part.quote(index - 1) if index else newest or self.before(part.number)
            part = self._within(part, time_msc) if index == len(part.time) else None
        return newest

    def first_crossing(
        self, after_msc: int, until_msc: int, *, long: bool, sl: float, tp: float
    ) -> Quote | None:
        """The first quote after `after_msc` that closes a position; 0 means no such level.

        A long position closes at the selling price: at or below `sl`, at or above `tp`; a short
        one at the buying price, the other way round.
        """
        part = self.at(after_msc + 1) if sl or tp else None
        while part is not None:
            begin = int(np.searchsorted(part.time, after_msc, side="right"))
            end = int(np.searchsorted(part.time, until_msc, side="right"))
            index = _crossing(part.bid[begin:end], part.ask[begin:end], long, sl, tp)
            if index is not None:
                return part.quote(begin + index)
            part = self._within(part, until_msc)
        return None

    def first_beyond(
        self, after_msc: int, until_msc: int, price: float, *, long: bool
    ) -> int | None:
        """When a position's closing price is first as bad as `price`, or worse.

        As `first_crossing`, for prices that are far away: whole segments are passed over by their
        own lowest and highest quote.
        """
        part = self.at(after_msc + 1)
        while part is not None:
            if part.low <= price if long else part.high >= price:
                crossing = self.first_crossing(after_msc, until_msc, long=long, sl=price, tp=0.0)
                return crossing.time_msc if crossing else None
            part = self._within(part, until_msc)
        return None

    def ticks_between(self, from_msc: int, until_msc: int, count: int) -> Ticks:
        """At most `count` ticks by market time reached, in source order, dtype MT5_TICK."""
        parts: list[Ticks] = []
        part = self.at(from_msc)
        while part is not None and count > 0:
            begin = int(np.searchsorted(part.reached, from_msc))
            end = int(np.searchsorted(part.reached, until_msc, side="right"))
            parts.append(part.ticks[begin : min(end, begin + count)])
            count -= len(parts[-1])
            part = self._within(part, until_msc)
        return np.concatenate(parts) if parts else np.zeros(0, MT5_TICK)

    def _within(self, part: Segment, until_msc: int) -> Segment | None:
        """The next segment, unless the part already went past `until_msc`."""
        if len(part.reached) and part.reached[-1] > until_msc:
            return None
        following = self.following(part.number)
        if following is None or (len(following.reached) and following.reached[0] > until_msc):
            return None
        return following


def _crossing(
    bid: npt.NDArray[np.float64], ask: npt.NDArray[np.float64], long: bool, sl: float, tp: float
) -> int | None:
    price = np.minimum(bid, ask) if long else -np.maximum(bid, ask)
    sign = 1 if long else -1
    hit = np.zeros(len(price), bool)
    if sl:
        hit |= price <= sign * sl
    if tp:
        hit |= price >= sign * tp
    return int(np.argmax(hit)) if hit.any() else None


class TapedMarket(Protocol):
    """What a simulated terminal needs of a market, recorded or generated."""

    @property
    def live(self) -> bool:
        """Whether market time is the machine's; else the caller gives it."""
        ...

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """All (source, symbol), in a fixed order."""
        ...

    def tape(self, source: str, symbol: str) -> Tape:
        """The quotes of one feed."""
        ...
