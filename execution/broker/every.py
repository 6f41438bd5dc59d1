"""True once per interval."""

from core.clock import Timer


class Every:
    """Says when it is time again; the first time at once."""

    def __init__(self, interval_s: float, timer: Timer) -> None:
        self._interval_s, self._timer, self._due = interval_s, timer, float("-inf")

    def is_due(self) -> bool:
        """Whether an interval has passed since it last was."""
        now = self._timer.seconds()
        if now < self._due:
            return False
        self._due = now + self._interval_s
        return True
