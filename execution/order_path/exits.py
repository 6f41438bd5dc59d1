"""When a position closes without a signal: at its horizon, or again after a refused closing."""

from collections.abc import Collection
from typing import NamedTuple

from core.clock import Timer
from execution.journal.position import Position
from execution.order_path.quotes import Quote, Quotes

_RETRY_S = 1.0  # as the book's own, which a replay reads


class Exit(NamedTuple):
    """A closing to come. `waits`: not before the next quote, for the venue refused it once."""

    due_us: int
    position: Position
    purpose: str
    waits: bool


def of(position: Position) -> Exit:
    """The next closing of one position."""
    if position.refused:
        return Exit(position.retry_us, position, position.retry_purpose, True)
    return Exit(position.horizon_us, position, "horizon", False)


class _Refusal(NamedTuple):
    """What stood when this process first saw a closing refused."""

    attempt: int
    seen_s: float
    quote: Quote | None


class Retries:
    """When live closings that the venue refused are tried again: a second later, at a newer quote.

    Measured by the machine's timer, and by one quote following another: neither our clock nor the
    market's delays an exit, however far they are apart.
    """

    def __init__(self, quotes: Quotes, timer: Timer) -> None:
        self._quotes, self._timer = quotes, timer
        self._seen: dict[int, _Refusal] = {}  # by position ticket

    def due(self, positions: Collection[Position], now_us: int) -> list[Exit]:
        """Closings that are due at a time of our clock, in the order they became due."""
        self._forget(positions)
        exits = [
            exit_
            for exit_ in map(of, positions)
            if (self._is_over(exit_.position, now_us) if exit_.waits else exit_.due_us <= now_us)
        ]
        return sorted(exits, key=lambda e: (e.due_us, *e.position.key, e.position.ticket))

    def _is_over(self, position: Position, now_us: int) -> bool:
        """Whether its time has passed, and another quote has come."""
        quote = self._quotes.at(position.key.source, position.key.symbol, now_us)
        seen = self._seen.get(position.ticket)
        if seen is None or seen.attempt != position.refused:
            seen = _Refusal(position.refused, self._timer.seconds(), quote)
            self._seen[position.ticket] = seen
        return quote != seen.quote and self._timer.seconds() - seen.seen_s >= _RETRY_S

    def _forget(self, positions: Collection[Position]) -> None:
        if self._seen:
            held = {position.ticket for position in positions if position.refused}
            self._seen = {t: seen for t, seen in self._seen.items() if t in held}
