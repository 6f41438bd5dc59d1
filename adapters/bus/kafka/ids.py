"""Message ids of the last hour (`bus.duplicate_window_s`): Kafka knows no such window itself."""

from collections import OrderedDict
from typing import NamedTuple

HEADER = "id"
MOST = 500_000  # of one topic, whatever the window: some 100 MB


class _Known(NamedTuple):
    sequence: int
    at_ms: int


class RecentIds:
    """Ids with the sequence of their first copy; the oldest are forgotten. Not thread-safe."""

    def __init__(self, window_s: float) -> None:
        self._window_ms = window_s * 1000
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def add(self, message_id: str, sequence: int, at_ms: int) -> None:
        """Remember one, and forget what is older by more than the window."""
        self._known.setdefault(message_id, _Known(sequence, at_ms))
        while self._known:
            oldest = next(iter(self._known.values()))
            if oldest.at_ms >= at_ms - self._window_ms and len(self._known) <= MOST:
                return
            self._known.popitem(last=False)

    def sequence(self, message_id: str) -> int | None:
        """Of the first copy, if it is known."""
        known = self._known.get(message_id)
        return known.sequence if known else None

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._known


def id_of(headers: list[tuple[str, bytes]] | None) -> str:
    """The message id among a message's headers, "" if it has none."""
    for name, value in headers or ():
        if name == HEADER:
            return value.decode()
    return ""
