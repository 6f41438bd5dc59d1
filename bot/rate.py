"""How many commands a chat may send: so many in a minute, and one word about it beyond."""

from collections import defaultdict, deque
from typing import Literal

from core.clock import Clock

_MINUTE_US = 60_000_000


class Rate:
    """Counts by chat; only chats of the allow-list come here, so they are few."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most, self._clock = per_minute, clock
        self._times: defaultdict[int, deque[int]] = defaultdict(deque)
        self._warned_us: dict[int, int] = {}

    def verdict(self, chat: int) -> Literal["go", "say", "drop"]:
        """Take it up; refuse it and say so; or refuse it silently, for it was said already."""
        now_us, times = self._clock.now_us(), self._times[chat]
        while times and times[0] <= now_us - _MINUTE_US:
            times.popleft()
        if len(times) < self._most:
            times.append(now_us)
            return "go"
        if self._warned_us.get(chat, -_MINUTE_US) > now_us - _MINUTE_US:
            return "drop"
        self._warned_us[chat] = now_us
        return "say"
