"""When a position closes without a signal: at its horizon, or again after a refused closing."""

from collections.abc import Iterable
from typing import NamedTuple

from execution.journal.book import Position


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


def due(positions: Iterable[Position], now_us: int) -> list[Exit]:
    """Closings that are due at a time, in the order they became due."""
    exits = [exit_ for exit_ in map(of, positions) if exit_.due_us <= now_us]
    return sorted(exits, key=lambda e: (e.due_us, *e.position.key, e.position.ticket))
