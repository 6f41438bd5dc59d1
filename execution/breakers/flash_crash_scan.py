"""Flash crashes in whole slices of a feed: what FlashCrashWatch finds, without asking it each time.

A replay brings hundreds of thousands of quotes a second. A flash crash needs a move beyond a
window's share within that window, and where two neighbouring stretches of its length span less in
price there is none. Only where two span more does a FlashCrashWatch look, quote by quote, after
the volatility before has been folded from one mid per second. The answer is that of a watch which
saw everything, to the last bit.
"""

from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from execution.breakers.flash_crash import (
    PAUSE_S,
    WINDOWS_S,
    FlashCrash,
    FlashCrashWatch,
    Volatility,
    floors,
)
from execution.order_path.quotes import Tape
from execution.risk.limits import Breakers

_SECOND_US = 1_000_000
_WINDOWS_US = tuple(seconds * _SECOND_US for seconds in WINDOWS_S)
_BEFORE_US = 3 * _WINDOWS_US[-1]  # what a watch must see before: two of volatility, and one
_PAUSE_US = round(PAUSE_S * 1e6)

Times = npt.NDArray[np.int64]
Mids = npt.NDArray[np.float64]


class Quotes(NamedTuple):
    """Times and mids, raw and as the watch smooths them; each of shape (n,)."""

    time_us: Times
    raw: Mids
    mid: Mids

    def take(self, begin: int, end: int | None = None) -> "Quotes":
        """Some of them."""
        return Quotes(self.time_us[begin:end], self.raw[begin:end], self.mid[begin:end])

    def and_then(self, later: "Quotes") -> "Quotes":
        """These, followed by others."""
        return Quotes(
            np.concatenate([self.time_us, later.time_us]),
            np.concatenate([self.raw, later.raw]),
            np.concatenate([self.mid, later.mid]),
        )


class FlashCrashScan:
    """One feed, slice by slice."""

    def __init__(self, limits: Breakers) -> None:
        self._limits = limits
        # By a little less: no rounding may hide what a watch would see.
        self._floors = tuple(floor * (1 - 1e-9) for floor in floors(limits))
        self._tail, self._dropped = Quotes(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)), 0
        self._seconds: deque[tuple[int, float]] = deque()  # not folded yet
        self._last_second = -1
        self._folded = Volatility()
        self._watch, self._watched = FlashCrashWatch(limits), 0  # it has seen all before this quote

    def observe(self, tape: Tape) -> FlashCrash | None:
        """Take the usable quotes of the next slice; the first flash crash among them, or None."""
        if not len(tape.time_us):
            return None
        known, raw = len(self._tail.time_us), (tape.bid + tape.ask) / 2
        time_us = np.concatenate([self._tail.time_us, tape.time_us])
        mids = np.concatenate([self._tail.raw, raw])
        fresh = Quotes(tape.time_us, raw, smoothed(time_us, mids)[known:])
        held = self._tail.and_then(fresh)
        self._keep_seconds(fresh)
        flash_crash = next(self._flash_crashes(held, known), None)
        begin = int(np.searchsorted(held.time_us, held.time_us[-1] - _BEFORE_US - _WINDOWS_US[-1]))
        begin = max(min(begin, len(held.time_us) - 3), 0)
        self._tail, self._dropped = held.take(begin), self._dropped + begin
        return flash_crash

    def _flash_crashes(self, held: Quotes, known: int) -> Iterator[FlashCrash]:
        """Crashes shown by quotes from the index `known` on."""
        for first, end in self._suspicious(held, known):
            flash_crash = self._newly_shown(held, first, end)
            if flash_crash is not None:
                yield flash_crash

    def _suspicious(self, held: Quotes, known: int) -> list[tuple[int, int]]:
        """Where quotes from `known` on may show one: from an index to another, in order."""
        if next(_wide(held, _WINDOWS_US[-1], min(self._floors), known), None) is None:
            return []  # as in nearly every slice: the longest window holds what the others do
        marked = np.zeros(len(held.time_us) + 2, np.int8)
        for window_us, floor in zip(_WINDOWS_US, self._floors, strict=True):
            for first, end in _wide(held, window_us, floor, known):
                marked[first + 1 : end + 1] = 1
        edges = np.flatnonzero(np.diff(marked)).tolist()
        return list(zip(edges[::2], edges[1::2], strict=True))

    def _newly_shown(self, held: Quotes, first: int, end: int) -> FlashCrash | None:
        """What a watch that has seen everything says of quotes `first` to `end`."""
        begin = self._watched - self._dropped
        before_us = (int(held.time_us[first]) - _BEFORE_US) // _SECOND_US * _SECOND_US
        needed = int(np.searchsorted(held.time_us, before_us))
        if begin < needed or not self._watched:
            begin = needed
            self._begin_watch(held, begin, before_us)
        self._watched = end + self._dropped
        part = held.take(begin, end)
        first_crash = None
        for index, quote in enumerate(
            zip(part.time_us.tolist(), part.raw.tolist(), strict=True), begin
        ):
            flash_crash = self._watch.observe(*quote)
            first_crash = first_crash or (flash_crash if index >= first else None)
        return first_crash

    def _begin_watch(self, held: Quotes, begin: int, before_us: int) -> None:
        """A watch that has seen all that matters before the quote at `begin`."""
        while self._seconds and self._seconds[0][0] < before_us:
            self._folded.observe(*self._seconds.popleft())
        self._watch = FlashCrashWatch(self._limits, deepcopy(self._folded))
        before = held.take(max(begin - 2, 0), begin)
        for quote in zip(before.time_us.tolist(), before.raw.tolist(), strict=True):
            self._watch.prime(*quote)

    def _keep_seconds(self, fresh: Quotes) -> None:
        seconds = fresh.time_us // _SECOND_US
        first = np.concatenate([[True], np.diff(seconds) > 0])
        first &= seconds > self._last_second
        self._seconds.extend(
            zip(fresh.time_us[first].tolist(), fresh.mid[first].tolist(), strict=True)
        )
        self._last_second = max(self._last_second, int(seconds[-1]))


def _wide(held: Quotes, window_us: int, floor: float, known: int) -> Iterator[tuple[int, int]]:
    """The stretches of a window's length that, with the one before, span more than a share."""
    blocks = held.time_us // window_us
    starts = np.flatnonzero(np.concatenate([[True], np.diff(blocks) > 0]))
    high = np.maximum.reduceat(held.mid, starts)
    low = np.minimum.reduceat(held.mid, starts)
    near = np.concatenate([[False], np.diff(blocks[starts]) == 1])
    top = np.where(near, np.maximum(high, np.roll(high, 1)), high)
    bottom = np.where(near, np.minimum(low, np.roll(low, 1)), low)
    ends = np.append(starts[1:], len(held.time_us))
    for number in np.flatnonzero((top - bottom > floor * bottom) & (ends > known)):
        yield max(int(starts[number]), known), int(ends[number])


def smoothed(time_us: Times, mids: Mids) -> Mids:
    """Each mid as the watch takes it: the median of three, begun anew after a long silence."""
    if not len(mids):
        return mids
    age = np.arange(len(mids))
    starts = np.concatenate([[True], np.diff(time_us) > _PAUSE_US])
    age -= np.maximum.accumulate(np.where(starts, age, 0))
    one, two = np.roll(mids, 1), np.roll(mids, 2)
    low, high = np.minimum(mids, one), np.maximum(mids, one)
    middle = np.maximum(low, np.minimum(high, two))
    medians: Mids = np.where(age == 0, mids, np.where(age == 1, high, middle))
    return medians
