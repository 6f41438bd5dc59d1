"""One open position of ours, whose it is, and when it ends.

A position is one the venue opened for an order of ours (hedging accounts hold several of a
symbol). It closes at the horizon of the newest signal that its strategy acted on in its direction.
"""

from typing import NamedTuple

import msgspec


class Key(NamedTuple):
    """Whose position: one strategy's in one feed."""

    strategy: str
    source: str
    symbol: str


class Terms(NamedTuple):
    """What a signal says of the end of its position."""

    horizon_us: int
    take_profit: float
    trail: float


class Position(msgspec.Struct):
    """One open position of ours. `volume` is signed lots."""

    ticket: int
    key: Key
    volume: float
    price: float
    stop_price: float
    opened_us: int
    order_id: str
    signal_id: str
    horizon_us: int
    refused: int = 0  # exits that did not close it: refused, filled in part, never sent
    retry_us: int = 0  # not before this, after a refused exit
    retry_purpose: str = ""
    take_profit: float = 0.0
    trail: float = 0.0  # distance at which the stop follows; 0: it stays
    moving: float = 0.0  # the stop that was asked for and not answered yet
    moved_us: int = 0  # when one was last asked for
    outgrown: int = 0  # exits that were filled whole and left what had been added meanwhile

    @property
    def attempt(self) -> int:
        """What tells the next exit's order from those before."""
        return self.refused + self.outgrown
