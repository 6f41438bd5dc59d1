"""Tick quality: which ticks are kept, what is flagged, and how a tick gets its identity.

Collector and importers share these rules, so that a tick has the same identity and the same
quality bits however it came in. Real quotes are dirty, so nothing is dropped silently: a tick
is kept (perhaps flagged) or refused with one of `REASONS` and quarantined by the caller.

The result does not depend on how a feed is cut into batches. That is why the window in which an
out-of-order tick still gets its exact count is a span of market time, not a number of batches.
"""

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.contracts.tick import (
    CROSSED,
    LOCKED,
    OUT_OF_ORDER,
    SAME_MILLISECOND,
    TICK,
    TickArray,
    on_price_grid,
)

CORRECTION = "correction"
#: Why a tick is refused, and what that means.
REASONS = {
    "nan_price": "bid, ask or last is not a finite number",
    "non_positive_price": "bid or ask is zero, negative or below 1e-8, or last is negative",
    "price_too_large": "a price is 1e10 or more and does not fit the warehouse's Decimal(18, 8)",
    "bad_volume": "volume is negative or not a finite number",
    "future_time": "the time is later than the clock by more than the tolerance",
    "past_time": "the time lies before 1990",
    "nonexistent_time": "the local time was skipped when clocks went forward in the stated zone",
    "unknown_symbol": "no instrument of that name, or not the symbol the file is for",
    "unparseable": "the row cannot be read",
    CORRECTION: "stored already with another content, and this live feed may not correct it",
}

EARLIEST_MSC = 631_152_000_000  # 1990-01-01 00:00 UTC
RECENT_MSC = 1024  # span before the latest tick in which per-millisecond counts are kept
LATE_SEQ = 65_536  # first seq of ticks older than that span
_SMALLEST_PRICE, _LARGEST_PRICE = 1e-8, 1e10

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class _Columns(NamedTuple):
    time: Integers
    bid: Floats
    ask: Floats
    last: Floats
    volume: Floats

    def row(self, i: Any) -> tuple[int, float, float, float, float]:
        bid, ask, last, volume = (float(column[i]) for column in self[1:])
        return int(self.time[i]), bid, ask, last, volume

    def where(self, mask: Mask) -> "_Columns":
        bid, ask, last, volume = (column[mask] for column in self[1:])
        return _Columns(self.time[mask], bid, ask, last, volume)


class Normalised(NamedTuple):
    """Result of one batch."""

    ticks: TickArray  # kept ticks in feed order, dtype TICK, shape (kept,)
    rejected: list[tuple[int, str]]  # (index into the batch, reason), by index


class FeedState(msgspec.Struct):
    """What must be remembered of one feed (source, symbol) between batches. Small, picklable.

    `recent` holds, for each millisecond from `latest_msc - RECENT_MSC` on, how many ticks were
    kept in it. Nothing earlier than `known_from_msc` is known (see `resume`).
    """

    source: str
    symbol: str
    offset: int = 0  # ticks kept so far
    latest_msc: int = 0  # largest time kept; 0 before the first
    previous_msc: int = 0  # time of the last kept tick
    known_from_msc: int = 0
    cursor_msc: int = 0  # largest plausible time seen, of kept and refused ticks
    cursor_count: int = 0  # ticks seen at that time, kept and refused
    recent: dict[int, int] = {}
    kept_only: bool = False  # resumed: `cursor_count` is of kept ticks, until `passed` is asked

    @classmethod
    def resume(cls, source: str, symbol: str, time_msc: int, seq: int, offset: int) -> "FeedState":
        """State after a stored tick: the one with the largest (time_msc, seq) of the feed.

        `offset` is how many ticks of the feed are stored. Out-of-order ticks older than
        `time_msc` then count from LATE_SEQ up, because earlier counts are not known.
        """
        state = cls(source, symbol, offset, time_msc, time_msc, time_msc)
        state.cursor_msc, state.cursor_count = time_msc, seq + 1
        state.recent, state.kept_only = {time_msc: seq + 1}, True
        return state

    @property
    def cursor(self) -> tuple[int, int]:
        """(time_msc, count within it): ask the terminal from that time, skip so many ticks."""
        return self.cursor_msc, self.cursor_count

    def passed(
        self,
        time_msc: npt.NDArray[Any],
        bid: npt.NDArray[Any],
        ask: npt.NDArray[Any],
        last: npt.NDArray[Any],
        volume: npt.NDArray[Any],
    ) -> int:
        """How many of the feed's ticks from the cursor's time on were taken before: the first ones.

        A resumed feed knows only how many of them were kept. Those that were refused among them
        are told by what they say, or the last kept ones would be counted twice.
        """
        columns = _Columns(*map(np.ascontiguousarray, (time_msc, bid, ask, last, volume)))
        if self.kept_only and len(columns.time):
            here = columns.where(columns.time == self.cursor_msc)
            kept = np.flatnonzero(_acceptable(here, self.cursor_msc)[0])[: self.cursor_count]
            self.cursor_count = int(kept[-1]) + 1 if len(kept) else 0
            self.kept_only = False
        return self.cursor_count

    def normalise(
        self,
        time_msc: npt.NDArray[Any],
        bid: npt.NDArray[Any],
        ask: npt.NDArray[Any],
        last: npt.NDArray[Any],
        volume: npt.NDArray[Any],
        flags: npt.NDArray[Any],
        *,
        now_us: int,
        recv_us: int | npt.NDArray[Any],
        future_tolerance_us: int,
    ) -> Normalised:
        """Keep, flag or refuse the feed's next ticks, and remember them.

        Args:
            time_msc: Unix milliseconds, UTC, shape (n,), any order.
            bid, ask, last, volume: prices and lots, shape (n,); last and volume 0 where none.
            flags: MT5 tick flags, shape (n,).
            now_us: the clock, microseconds, UTC.
            recv_us: when the ticks were received, one value or shape (n,).
            future_tolerance_us: how far a tick may be ahead of `now_us`.
        """
        columns = _Columns(*map(np.ascontiguousarray, (time_msc, bid, ask, last, volume)))
        latest_allowed = (now_us + future_tolerance_us) // 1000
        good, timely = _acceptable(columns, latest_allowed)
        self._move_cursor(columns.time, timely)
        if good.all():
            return Normalised(self._ticks(columns, flags, recv_us), [])
        bad = np.flatnonzero(~good)
        rejected = [(int(i), _reason(columns.row(i), latest_allowed)) for i in bad]
        recv_us = recv_us if isinstance(recv_us, int) else recv_us[good]
        return Normalised(self._ticks(columns.where(good), flags[good], recv_us), rejected)

    def _ticks(
        self, columns: _Columns, flags: npt.NDArray[Any], recv_us: int | npt.NDArray[Any]
    ) -> TickArray:
        ticks = np.empty(len(columns.time), TICK)
        bid, ask = on_price_grid(columns.bid), on_price_grid(columns.ask)
        last = on_price_grid(columns.last) if columns.last.any() else columns.last
        ticks["bid"], ticks["ask"], ticks["last"] = bid, ask, last
        ticks["time_msc"], ticks["volume"] = columns.time, columns.volume
        ticks["flags"], ticks["ts_recv_us"] = flags, recv_us
        if len(ticks):
            ticks["seq"], quality = self._identify(columns.time)
            quality |= np.multiply(ask < bid, CROSSED, dtype=np.uint16)
            quality |= np.multiply(ask == bid, LOCKED, dtype=np.uint16)
            ticks["quality"] = quality
        return ticks

    def _move_cursor(self, time: Integers, timely: Mask) -> None:
        if not timely.all():
            time = time[timely]
        if not len(time):
            return
        newest = int(time.max())
        if newest > self.cursor_msc:
            self.cursor_msc, self.cursor_count = newest, 0
        self.cursor_count += int(np.count_nonzero(time == self.cursor_msc))

    def _identify(self, time: Integers) -> tuple[Integers, npt.NDArray[np.uint16]]:
        """Seq and the bits of `quality` that depend on time; moves the state past the ticks."""
        before = _shifted(time, self.previous_msc)
        quality = np.multiply(time == before, SAME_MILLISECOND, dtype=np.uint16)
        if time[0] >= self.latest_msc and not (time < before).any():
            seq = self._count_in_order(time)
            self._remember(time, time)
        else:
            seq, late = self._identify_disordered(time)
            quality |= np.multiply(late, OUT_OF_ORDER, dtype=np.uint16)
        self.previous_msc = int(time[-1])
        self.offset += len(time)
        return seq, quality

    def _identify_disordered(self, time: Integers) -> tuple[Integers, Mask]:
        # An out-of-order tick is older than the latest one, so it never changes the count of a
        # millisecond that in-order ticks still add to: the two kinds can be counted apart.
        latest_before = np.maximum(_shifted(np.maximum.accumulate(time), 0), self.latest_msc)
        late = time < latest_before
        in_order = time[~late]
        seq = np.empty(len(time), np.int64)
        seq[~late] = self._count_in_order(in_order)
        exact = late & (time >= latest_before - RECENT_MSC) & (time >= self.known_from_msc)
        seq[exact] = self._count_out_of_order(time[exact], in_order)
        older = np.flatnonzero(late & ~exact)
        # The feed's whole count is more than any exact seq, so these can never meet one.
        seq[older] = LATE_SEQ + self.offset + older
        self._remember(time[~late | exact], in_order)
        return seq, late

    def _count_in_order(self, time: Integers) -> Integers:
        """Seq of ticks that never go back. `time` is sorted."""
        if not len(time):
            return time
        index = np.arange(len(time))
        starts = np.where(time != _shifted(time, time[0] - 1), index, 0)
        seq: Integers = index - np.maximum.accumulate(starts)
        continued = self.recent.get(int(time[0]), 0) if time[0] == self.latest_msc else 0
        if continued:
            seq[: np.searchsorted(time, time[0], side="right")] += continued
        return seq

    def _count_out_of_order(self, time: Integers, in_order: Integers) -> Integers:
        """Seq of out-of-order ticks within the span of `recent`, in any order of time."""
        order = np.argsort(time, kind="stable")
        ordered = time[order]
        rank = np.empty(len(time), np.int64)
        rank[order] = np.arange(len(time)) - np.searchsorted(ordered, ordered)
        here = np.searchsorted(in_order, time, "right") - np.searchsorted(in_order, time, "left")
        earlier = np.array([self.recent.get(t, 0) for t in time.tolist()], np.int64)
        return rank + here + earlier

    def _remember(self, counted: Integers, in_order: Integers) -> None:
        if len(in_order):
            self.latest_msc = max(self.latest_msc, int(in_order[-1]))
        start = self.latest_msc - RECENT_MSC
        recent = {t: n for t, n in self.recent.items() if t >= start}
        if counted is in_order:  # sorted: only its tail matters
            counted = counted[np.searchsorted(counted, start) :]
        times, counts = np.unique(counted[counted >= start], return_counts=True)
        for t, n in zip(times.tolist(), counts.tolist(), strict=True):
            recent[t] = recent.get(t, 0) + n
        self.recent = dict(sorted(recent.items()))


def _shifted(values: Integers, first: int) -> Integers:
    """Each element's predecessor; `first` for the first."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[:1] = first
    return before


def _acceptable(columns: _Columns, latest_msc: int) -> tuple[Mask, Mask]:
    """Which ticks are kept, and which of all have a plausible time. NaN compares as false."""
    timely = (columns.time >= EARLIEST_MSC) & (columns.time <= latest_msc)
    good = timely.copy()
    for price in (columns.bid, columns.ask):
        good &= (price >= _SMALLEST_PRICE) & (price < _LARGEST_PRICE)
    good &= (columns.last >= 0) & (columns.last < _LARGEST_PRICE)
    good &= (columns.volume >= 0) & (columns.volume < np.inf)
    return good, timely


def _reason(row: tuple[int, float, float, float, float], latest_msc: int) -> str:
    """The first rule that refuses a tick."""
    time, bid, ask, last, volume = row
    if not all(map(math.isfinite, (bid, ask, last))):
        return "nan_price"
    if min(bid, ask) < _SMALLEST_PRICE or last < 0:
        return "non_positive_price"
    if max(bid, ask, last) >= _LARGEST_PRICE:
        return "price_too_large"
    if not 0 <= volume < math.inf:
        return "bad_volume"
    return "future_time" if time > latest_msc else "past_time"
