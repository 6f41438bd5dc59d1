"""A market of ticks as they come in: the newest of every feed, for a simulated terminal beside a
real one (`execution/twin/twin.py`).
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.real.symbols import Feed
from adapters.simulator.markets.tape import Quote, Segment, Tape, Ticks, segment

KEPT = 20_000  # ticks of a feed


class LiveTape(Tape):
    """One segment: what was fed last."""

    def __init__(self) -> None:
        self._blocks: deque[Ticks] = deque()
        self._count = 0
        self._segment: Segment | None = None
        self.newest_msc = 0

    def feed(
        self, time_msc: npt.NDArray[Any], bid: npt.NDArray[Any], ask: npt.NDArray[Any]
    ) -> None:
        """Take ticks in the order they came; each array has shape (n,)."""
        block = np.zeros(len(time_msc), MT5_TICK)
        block["time_msc"], block["time"] = time_msc, time_msc // 1000
        block["bid"], block["ask"] = bid, ask
        self._blocks.append(block)
        self._count += len(block)
        while self._count - len(self._blocks[0]) >= KEPT:
            self._count -= len(self._blocks.popleft())
        self._segment = None
        if len(block):
            self.newest_msc = max(self.newest_msc, int(block["time_msc"].max()))

    def at(self, time_msc: int) -> Segment | None:
        """The one segment, whatever the time; None before the first tick."""
        if self._segment is None and self._blocks:
            self._segment = segment(0, np.concatenate(list(self._blocks)))
        return self._segment

    def following(self, number: int) -> Segment | None:
        """Nothing has come yet."""
        return None

    def before(self, number: int) -> Quote | None:
        """What is older was forgotten."""
        return None


class LiveMarket:
    """All feeds of a terminal; implements TapedMarket, the caller gives the time."""

    live = False

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._tapes = {feed: LiveTape() for feed in feeds}

    def feeds(self) -> tuple[Feed, ...]:
        """All (source, symbol), in a fixed order."""
        return tuple(self._tapes)

    def tape(self, source: str, symbol: str) -> LiveTape:
        """The quotes of one feed."""
        return self._tapes[source, symbol]
