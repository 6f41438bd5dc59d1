"""What a replaying terminal offers beyond MetaTrader 5's functions: whole slices of recorded time.

A slice is all ticks of all feeds up to a market time. Slices depend on the data alone, so a
collector that died reads the same slice again.
"""

from typing import Any, NamedTuple, Protocol

import numpy.typing as npt


class MarketSlice(NamedTuple):
    """One slice of recorded market time."""

    number: int  # from 1
    end_msc: int  # market time reached: every tick of later slices is later or out of order
    training: bool  # belongs to the part before the training cut
    last: bool  # no slice follows


class RecordedMarket(Protocol):
    """Recorded or generated ticks in slices; served by the replaying terminal."""

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """All (source, symbol), in a fixed order."""
        ...

    def slice(self, number: int) -> MarketSlice | None:
        """The slice `number` (from 1); None when there is none."""
        ...

    def slice_ticks(self, number: int, source: str, symbol: str) -> npt.NDArray[Any]:
        """Ticks of one feed in one slice, in source order, dtype MT5_TICK, shape (n,)."""
        ...
