"""A tick file that ends early: what a backtest must not see is never read."""

from collections.abc import Iterator

import numpy as np

from adapters.simulator.markets import tickfile
from adapters.simulator.markets.tape import Ticks, Times, reached
from adapters.simulator.markets.tickfile import MarketFile


class Until:
    """Implements SeekableTickFile: another file's ticks until its market reaches a time."""

    def __init__(self, file: MarketFile, to_msc: int) -> None:
        self._file, self._to = file, to_msc
        self.path, self.source, self.symbol = file.path, file.source, file.symbol

    def chunks(self) -> Iterator[Ticks]:
        """All ticks before the end."""
        return self.chunks_from(0)

    def chunks_from(self, number: int) -> Iterator[Ticks]:
        """Chunks from `number` (from 0) on."""
        for ticks in tickfile.chunks_from(self._file, number):
            count = self._within(ticks["time_msc"])
            yield ticks[:count]
            if count < len(ticks):
                return

    def times(self) -> Iterator[Times]:
        """Only `time_msc`."""
        for times in tickfile.times(self._file):
            count = self._within(times)
            yield times[:count]
            if count < len(times):
                return

    def _within(self, times: Times) -> int:
        """Rows before the first that reaches the end; a wrong clock's row does not count."""
        return int(np.searchsorted(reached(times), self._to)) if len(times) else 0
