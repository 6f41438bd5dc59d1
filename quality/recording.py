"""What a recording holds, counted from its files alone.

This is the independent side of a replay's reconciliation: it shares no code with the collector,
the kernel or the warehouse. Ticks that any sane rule must keep are those with finite, positive
prices and a plausible time; what the product kept is compared with that.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

_PRICE_UNITS = 100_000_000
_EARLIEST_MSC = 631_152_000_000  # 1990-01-01: older "times" are not market data


class FeedCount(NamedTuple):
    """One feed of a recording. Times are Unix milliseconds, UTC."""

    source: str
    symbol: str
    rows: int
    valid: int  # rows with finite positive bid and ask and a plausible time
    first_msc: int
    last_msc: int
    bid_units: int  # sum of valid bids in units of 1e-8
    ask_units: int
    minutes: int  # distinct UTC minutes with a valid tick
    samples: int  # distinct sampling spans with a valid in-order tick
    samples_after_cut: int  # of these, at or after the cut


def count(path: Path, source: str, symbol: str, sample_ms: int, cut_msc: int) -> FeedCount:
    """Read one normalised parquet file, row group by row group, and count."""
    tally = _Tally(sample_ms, cut_msc)
    file = pq.ParquetFile(path)
    for group in file.iter_batches(batch_size=262_144, columns=["time_msc", "bid", "ask"]):
        columns = [group.column(i).to_numpy(zero_copy_only=False) for i in range(3)]
        tally.add(columns[0], columns[1], columns[2])
    return tally.result(source, symbol)


class _Tally:
    """Running counts over the chunks of one feed."""

    def __init__(self, sample_ms: int, cut_msc: int) -> None:
        self._sample_ms, self._cut_msc = sample_ms, cut_msc
        self._rows = self._valid = self._bid = self._ask = 0
        self._first: int | None = None
        self._last = self._latest = 0
        self._minutes: set[int] = set()
        self._samples = self._after_cut = 0
        self._span: int | None = None

    def add(
        self,
        time_msc: npt.NDArray[np.int64],
        bid: npt.NDArray[np.float64],
        ask: npt.NDArray[np.float64],
    ) -> None:
        self._rows += len(time_msc)
        good = np.isfinite(bid) & np.isfinite(ask) & (bid > 0) & (ask > 0)
        good &= time_msc >= _EARLIEST_MSC
        time_msc, bid, ask = time_msc[good], bid[good], ask[good]
        if len(time_msc) == 0:
            return
        self._valid += len(time_msc)
        self._bid += int(np.rint(bid * _PRICE_UNITS).astype(np.int64).sum())
        self._ask += int(np.rint(ask * _PRICE_UNITS).astype(np.int64).sum())
        low, high = int(time_msc.min()), int(time_msc.max())
        self._first = low if self._first is None else min(self._first, low)
        self._last = max(self._last, high)
        self._minutes.update(np.unique(time_msc // 60_000).tolist())
        self._sample(time_msc)

    def _sample(self, time_msc: npt.NDArray[np.int64]) -> None:
        """A sampling span counts once, at its first tick that is not out of order."""
        latest = np.maximum.accumulate(np.concatenate(([self._latest], time_msc)))
        in_order = time_msc[time_msc >= latest[:-1]]
        self._latest = int(latest[-1])
        if self._sample_ms:
            spans = in_order // self._sample_ms
            before = np.concatenate(([-1 if self._span is None else self._span], spans[:-1]))
            self._span = int(spans[-1]) if len(spans) else self._span
            in_order = in_order[spans != before]
        self._samples += len(in_order)
        self._after_cut += int((in_order >= self._cut_msc).sum())

    def result(self, source: str, symbol: str) -> FeedCount:
        return FeedCount(
            source=source,
            symbol=symbol,
            rows=self._rows,
            valid=self._valid,
            first_msc=self._first or 0,
            last_msc=self._last,
            bid_units=self._bid,
            ask_units=self._ask,
            minutes=len(self._minutes),
            samples=self._samples,
            samples_after_cut=self._after_cut,
        )
