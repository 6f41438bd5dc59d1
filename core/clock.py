"""Time comes from a clock that is passed in, so that a replay is exact.

All times in the product are integers: microseconds since the Unix epoch, UTC (`*_us`), or
milliseconds where MetaTrader 5 speaks (`*_msc`).
"""

import time
from typing import Protocol


class Clock(Protocol):
    """The time every staleness, session, expiry and limit check reads."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock: live mode."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1000


class ManualClock:
    """The market's clock: replay and backtest. Only ever moves forward."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return self._now_us

    def advance(self, to_us: int) -> None:
        """Move to `to_us`; an earlier time leaves the clock where it is."""
        self._now_us = max(self._now_us, to_us)


class Timer(Protocol):
    """Waiting and measuring how long something takes: never jumps, whatever the clock does."""

    def seconds(self) -> float:
        """Seconds since some fixed moment; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class SystemTimer:
    """The machine's monotonic clock."""

    def seconds(self) -> float:
        """See Timer."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Timer."""
        time.sleep(seconds)
