"""Ticks: the unit of everything, and how they travel.

A tick is identified by (source, symbol, time_msc, seq): seq is its count within that
millisecond. Prices are exact on a grid of 1e-8, which is what the warehouse stores, so that a
price read back has the bits it was written with.
"""

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

#: One tick in memory and on the bus. 56 bytes, little endian.
TICK = np.dtype(
    [
        ("time_msc", "<i8"),  # Unix milliseconds, UTC, the broker's time with its offset removed
        ("seq", "<u4"),  # count within that millisecond, from 0
        ("flags", "<u2"),  # MT5 TICK_FLAG_*: 2 BID, 4 ASK, 8 LAST, 16 VOLUME, 32 BUY, 64 SELL
        ("quality", "<u2"),  # our bits below
        ("bid", "<f8"),  # price
        ("ask", "<f8"),  # price
        ("last", "<f8"),  # price of the last trade, 0 when the source has none
        ("volume", "<f8"),  # of the last trade, 0 when the source has none
        ("ts_recv_us", "<i8"),  # when we received it; in a replay the market's time
    ]
)

TickArray = npt.NDArray[Any]  # of dtype TICK, shape (n,)

#: Bits of `quality`. Flagged ticks are kept and stored.
CROSSED = 1  # ask < bid
LOCKED = 2  # ask == bid
SAME_MILLISECOND = 4  # the previous tick of the feed has the same time_msc
OUT_OF_ORDER = 8  # time_msc is earlier than one already seen; features skip these

PRICE_SCALE = 100_000_000  # the price grid: Decimal(18, 8) in the warehouse


class TickBatch(msgspec.Struct, frozen=True, array_like=True, tag="TickBatch/1"):
    """Consecutive ticks of one source and symbol.

    `offset` counts the ticks of this feed before this batch, so a gap or repeat is seen;
    `slice` numbers the replay's slices of market time (0 in live mode).
    """

    run_id: str
    mode: str
    source: str
    symbol: str
    offset: int
    slice: int
    data: bytes

    @property
    def ticks(self) -> TickArray:
        """The ticks, dtype TICK, shape (n,), read-only view of the message's bytes."""
        return np.frombuffer(self.data, TICK)


class QuarantinedTick(msgspec.Struct, frozen=True, array_like=True):
    """One tick that was refused, as far as it could be read."""

    row: int  # 1-based row in the file, or count within the feed
    time_msc: int  # 0 when unreadable
    reason: str  # one of core.quality.REASONS
    raw: str  # the row as text, at most 500 characters


class QuarantineBatch(msgspec.Struct, frozen=True, array_like=True, tag="QuarantineBatch/1"):
    """Refused ticks of one source, symbol and origin (a file name, or `terminal`)."""

    run_id: str
    mode: str
    source: str
    symbol: str
    origin: str
    ticks: list[QuarantinedTick]


class TickMarker(msgspec.Struct, frozen=True, array_like=True, tag="TickMarker/1"):
    """What a replay's consumers need to know between batches; never sent in live mode.

    `slice`: all ticks of this slice, of every feed, precede this marker; `ts_event_us` is the
    market time reached. `train`: the part for training is complete, a model follows.
    `model`: rows after this marker are predicted with `model`. `end`: the replay is over.
    """

    run_id: str
    kind: Literal["slice", "train", "model", "end"]
    slice: int
    ts_event_us: int
    model: str = ""


TickMessage = TickBatch | QuarantineBatch | TickMarker


def to_price_units(price: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Prices as integers on the 1e-8 grid, as the warehouse stores them. Shape (n,)."""
    return np.rint(price * PRICE_SCALE).astype(np.int64)


def on_price_grid(price: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Prices rounded to the 1e-8 grid: the bits that come back from the warehouse."""
    return np.rint(price * PRICE_SCALE) / PRICE_SCALE
