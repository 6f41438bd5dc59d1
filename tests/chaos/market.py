"""Real ticks of crypto currencies as a live market: the recording begins now, and again at its end.

Only crypto trades on a weekend, so the chaos run is the same on every day. Where the reference data
is missing, the built-in generated market stands in.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tape import Ticks
from adapters.simulator.markets.tickfile import ParquetTicks

HOURS = 3


class Feed(NamedTuple):
    """A recording, and as what it is quoted."""

    file: str
    source: str
    symbol: str


FEEDS = (
    Feed("BTCUSD_dukascopy.parquet", "dukascopy", "BTCUSD"),
    Feed("ETHUSDT_binance.parquet", "binance", "ETHUSD"),
)


class MovedTicks:
    """Implements TickFile: a recording whose first tick is at `begin_msc`, repeated for hours."""

    def __init__(self, path: Path, feed: Feed, begin_msc: int) -> None:
        self.path, self.source, self.symbol = str(path), feed.source, feed.symbol
        self._begin_msc = begin_msc

    def chunks(self) -> Iterator[Ticks]:
        parts = list(ParquetTicks(self.path).chunks())
        ticks = np.concatenate(parts)
        span = int(ticks["time_msc"][-1] - ticks["time_msc"][0]) + 1000
        for start in range(self._begin_msc, self._begin_msc + HOURS * 3_600_000, span):
            moved = ticks.copy()
            moved["time_msc"] += start - ticks["time_msc"][0]
            moved["time"] = moved["time_msc"] // 1000
            yield moved


class LiveRecording(RecordedMarket):
    """A recording that goes on by the machine's clock."""

    live = True


def market(begin_msc: int) -> LiveRecording | GeneratedMarket:
    """The market of a run that began at a time (epoch milliseconds)."""
    folder = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data")) / "ticks"
    if not all((folder / feed.file).exists() for feed in FEEDS):
        return GeneratedMarket(("BTCUSD",), "sim", 7)
    return LiveRecording([MovedTicks(folder / feed.file, feed, begin_msc) for feed in FEEDS])
