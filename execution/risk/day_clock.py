"""Time by which a day's loss is judged: a clock that jumps ahead for a moment begins no other day.

A new day counts its loss from what the account holds then, so a day that began by mistake would
forget what was lost today. Where the clock ran ahead of the machine's timer, time goes on by the
timer until the clock has stayed there for a while: then the machine slept, or its clock was wrong
before, and the new time is right. A clock that is set back counts at once.
"""

from core.clock import Clock, Timer

LASTS_S = 120.0
_HAIR_US = 2_000_000  # drift between two looks, and a clock that is being set right slowly


class DayClock:
    """A clock, and the timer that it is held against."""

    def __init__(self, clock: Clock, timer: Timer) -> None:
        self._clock, self._timer = clock, timer
        self._offset_us = self._offset()
        self._ahead_since_s: float | None = None

    def now(self) -> tuple[int, bool]:
        """Microseconds since the Unix epoch, UTC; whether they leave out a span since the last."""
        offset_us, at_s = self._offset(), self._timer.seconds()
        if offset_us - self._offset_us <= _HAIR_US:
            self._offset_us, self._ahead_since_s = offset_us, None
            return self._at(at_s), False
        if self._ahead_since_s is None:
            self._ahead_since_s = at_s
        if at_s - self._ahead_since_s < LASTS_S:
            return self._at(at_s), False
        self._offset_us, self._ahead_since_s = offset_us, None
        return self._at(at_s), True

    def _offset(self) -> int:
        return self._clock.now_us() - round(self._timer.seconds() * 1e6)

    def _at(self, at_s: float) -> int:
        return self._offset_us + round(at_s * 1e6)
