"""Recorded ticks of the test data as arrays of dtype TICK."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from core.contracts.tick import SAME_MILLISECOND, TICK, TickArray

DATA = Path(
    os.environ.get("TICKHOUSE_TEST_DATA", Path(__file__).parents[1] / "../shared/data")
).resolve()


def recorded_ticks(name: str) -> TickArray:
    """The ticks of `ticks/<name>.parquet`, shape (n,), counted within their millisecond."""
    table = pq.read_table(DATA / "ticks" / f"{name}.parquet")
    ticks = np.zeros(table.num_rows, TICK)
    for column in ("time_msc", "bid", "ask", "last", "volume", "flags"):
        ticks[column] = table[column].to_numpy()
    ticks["seq"] = count_within_millisecond(ticks["time_msc"])
    ticks["quality"] = np.where(ticks["seq"] > 0, SAME_MILLISECOND, 0)
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


def count_within_millisecond(time_msc: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal milliseconds; `time_msc` ascending."""
    index = np.arange(len(time_msc))
    starts = np.r_[True, time_msc[1:] != time_msc[:-1]]
    return index - np.maximum.accumulate(np.where(starts, index, 0))
