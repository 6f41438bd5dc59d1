"""Minute candles of bids, from ticks as they come and from bars the warehouse has.

The same candle as the table `bar` shows: open and close by market time, high and low over all
ticks, crossed ones included. A tick that comes late widens its candle and moves no close.
"""

from typing import NamedTuple

import numpy as np

from core.contracts.tick import TickArray

MINUTE_MSC = 60_000


class Candle(NamedTuple):
    """One minute. `time_s`: Unix seconds of its start; `last_msc`: of the tick that closed it."""

    time_s: int
    open: float
    high: float
    low: float
    close: float
    last_msc: int


def of_ticks(ticks: TickArray) -> list[Candle]:
    """Candles of consecutive ticks (dtype TICK, shape (n,)), one per minute, in time order."""
    minutes = ticks["time_msc"] // MINUTE_MSC
    return [_candle(int(m), ticks[minutes == m]) for m in np.unique(minutes)]


def _candle(minute: int, ticks: TickArray) -> Candle:
    order = np.argsort(ticks["time_msc"], kind="stable")
    first, last, bids = ticks[order[0]], ticks[order[-1]], ticks["bid"]
    return Candle(
        minute * 60,
        float(first["bid"]),
        float(bids.max()),
        float(bids.min()),
        float(last["bid"]),
        int(last["time_msc"]),
    )


def joined(before: Candle | None, later: Candle) -> Candle:
    """Two parts of one minute in the order they came; the later market time gives the close."""
    if before is None:
        return later
    newest = later if later.last_msc >= before.last_msc else before
    return Candle(
        before.time_s,
        before.open,
        max(before.high, later.high),
        min(before.low, later.low),
        newest.close,
        newest.last_msc,
    )
