"""Flash crashes on the quote stream: a move against the volatility there was before it.

A flash crash is a move, within one of several windows, beyond both a share of the price and so many
deviations of the volatility before that window. The share keeps a quiet night from looking like
a crash, the deviations a wild symbol. The move counts from the window's highest or lowest mid,
so that it is seen with the quote that shows it. A single odd quote is no crash: mids pass a
median of three, which costs one quote of delay.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from execution.risk.limits import Breakers

_HALF_LIFE_S = 600.0
_WARM_S = 120  # seconds with quotes before volatility says anything
PAUSE_S = 60.0  # a longer silence is not a move
WINDOWS_S = (1, 10, 60)


def floors(limits: Breakers) -> tuple[float, ...]:
    """The share of price beyond which a move counts, of each window."""
    return limits.crash_move_1s, limits.crash_move_10s, limits.crash_move_60s


class FlashCrash(NamedTuple):
    """A move that trips: shares of price, over `window_s` seconds."""

    window_s: int
    move: float
    limit: float
    time_us: int


class Volatility:
    """Deviation of the mid's return over a second, as it was some seconds ago.

    Exponentially weighted with a half-life of ten minutes (J. P. Morgan, RiskMetrics Technical
    Document, 1996, section 5.2), from one mid per second.
    """

    def __init__(self) -> None:
        self._variance, self._seconds = 0.0, 0
        self._last: tuple[int, float] | None = None
        self._past: deque[tuple[int, float, int]] = deque()

    def observe(self, time_us: int, mid: float) -> None:
        """Take a mid; only the first of a second counts, and none that comes late."""
        if self._last is not None and time_us // 1_000_000 <= self._last[0] // 1_000_000:
            return
        if self._last is not None:
            self._update((time_us - self._last[0]) / 1e6, math.log(mid / self._last[1]))
        self._last = time_us, mid
        self._past.append((time_us, self._variance, self._seconds))
        while self._past[0][0] < time_us - 120_000_000:
            self._past.popleft()

    def before(self, time_us: int) -> float | None:
        """Deviation per root second as of a time; None while too little was seen."""
        for at_us, variance, seconds in reversed(self._past):
            if at_us <= time_us:
                return math.sqrt(variance) if seconds >= _WARM_S else None
        return None

    def _update(self, seconds: float, moved: float) -> None:
        if seconds > PAUSE_S:
            return
        weight = max(1.0 - 0.5 ** (seconds / _HALF_LIFE_S), 1.0 / (self._seconds + 1))
        self._variance += weight * (moved * moved / seconds - self._variance)
        self._seconds += 1


class _Window:
    """Highest and lowest mid of the last seconds, each in a monotonic queue."""

    def __init__(self, seconds: int) -> None:
        self.seconds, self._span_us = seconds, seconds * 1_000_000
        self._high: deque[tuple[int, float]] = deque()
        self._low: deque[tuple[int, float]] = deque()

    def move(self, time_us: int, mid: float) -> float:
        """Share of price between this mid and the window's farthest."""
        for queue, sign in ((self._high, 1.0), (self._low, -1.0)):
            while queue and sign * queue[-1][1] <= sign * mid:
                queue.pop()
            queue.append((time_us, mid))
            while queue[0][0] < time_us - self._span_us:
                queue.popleft()
        high, low = self._high[0][1], self._low[0][1]
        return max((high - mid) / high, (mid - low) / low)


class FlashCrashWatch:
    """Watches one feed; quotes in time order, later repeats of a time allowed."""

    def __init__(self, limits: Breakers, volatility: Volatility | None = None) -> None:
        """`volatility`: what was learnt before; None for nothing."""
        self._windows = tuple(_Window(seconds) for seconds in WINDOWS_S)
        self._volatility = volatility or Volatility()
        self._mids: deque[float] = deque(maxlen=3)
        self._last_us = 0
        self.use(limits)

    def use(self, limits: Breakers) -> None:
        """Judge by other thresholds from now on; what was seen stays."""
        self._deviations = limits.crash_deviations
        self._limits = floors(limits)

    def prime(self, time_us: int, mid: float) -> None:
        """Take a quote for the median of three alone: the volatility has learnt it already."""
        self._last_us = time_us
        self._mids.append(mid)

    def observe(self, time_us: int, mid: float) -> FlashCrash | None:
        """Take a quote; the flash crash it shows, or None."""
        if time_us - self._last_us > PAUSE_S * 1e6:
            self._mids.clear()  # nothing before a pause belongs to the market after it
        self._last_us = time_us
        self._mids.append(mid)
        mid = sorted(self._mids)[len(self._mids) // 2]
        self._volatility.observe(time_us, mid)
        for window, floor in zip(self._windows, self._limits, strict=True):
            move = window.move(time_us, mid)
            if move > floor and (
                flash_crash := self._exceeding(window.seconds, move, floor, time_us)
            ):
                return flash_crash
        return None

    def observe_all(self, quotes: Iterable[tuple[int, float]]) -> FlashCrash | None:
        """Take (time, mid) pairs; the first flash crash among them."""
        results = [self.observe(time_us, mid) for time_us, mid in quotes]
        return next((flash_crash for flash_crash in results if flash_crash is not None), None)

    def _exceeding(
        self, seconds: int, move: float, floor: float, time_us: int
    ) -> FlashCrash | None:
        usual = self._volatility.before(time_us - seconds * 1_000_000)
        if usual is None:
            return None
        limit = max(floor, self._deviations * usual * math.sqrt(seconds))
        return FlashCrash(seconds, move, limit, time_us) if move > limit else None
