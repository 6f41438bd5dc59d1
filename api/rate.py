"""How many requests a key may send: a bucket that fills evenly, and is full after a minute's pause.

A key that is limited to 600 in a minute may send 600 at once, and then ten a second.
"""

from collections import OrderedDict
from collections.abc import Callable

_MINUTE_S = 60.0
_MOST = 20_000


class Rate:
    """Buckets by name; those that were used least recently are forgotten, which is as if full.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, as of

    def wait_s(self, name: str, per_minute: int) -> float:
        """Take one; 0 when there was one, else how long until there is."""
        now_s = self._seconds()
        left, as_of_s = self._buckets.get(name, (float(per_minute), now_s))
        left = min(left + (now_s - as_of_s) * per_minute / _MINUTE_S, float(per_minute))
        wait_s = 0.0 if left >= 1 else (1 - left) * _MINUTE_S / per_minute
        self._buckets[name] = (left - 1 if not wait_s else left, now_s)
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return wait_s
