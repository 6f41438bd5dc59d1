"""How long who guesses passwords waits before the next guess counts.

A try is counted when it begins, so that many at once are many tries; success forgets them.
"""

import time
from collections.abc import Callable

FREE_TRIES = 5
LONGEST_WAIT_S = 60.0
_MOST_KEPT = 10_000

Key = tuple[str, str]  # address, name


class Throttle:
    """Tries by address and name. Used from one event loop. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[Key, tuple[int, float]] = {}  # how many, and when the next may begin

    def begin(self, key: Key) -> float:
        """Count a try; or, if it comes too soon, the seconds until one may begin."""
        now = self._clock()
        count, next_at = self._tries.pop(key, (0, now))
        if now >= next_at:
            count += 1
            wait_s = min(2.0 ** (count - FREE_TRIES), LONGEST_WAIT_S) if count >= FREE_TRIES else 0
            next_at, left_s = now + wait_s, 0.0
        else:
            left_s = next_at - now
        self._keep(key, count, next_at)
        return left_s

    def passed(self, key: Key) -> None:
        """A try succeeded."""
        self._tries.pop(key, None)

    def _keep(self, key: Key, count: int, next_at: float) -> None:
        if len(self._tries) >= _MOST_KEPT:  # names are the caller's: the oldest goes
            del self._tries[next(iter(self._tries))]
        self._tries[key] = (min(count, 64), next_at)
