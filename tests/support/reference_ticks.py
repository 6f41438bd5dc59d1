"""Real recorded ticks, which no clone holds: for benchmarks and tests marked `reference`."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from core.contracts.tick import SAME_MILLISECOND, TICK, TickArray
from tests.support.recordings import count_within_millisecond

DATA = Path(
    os.environ.get("TICKHOUSE_TEST_DATA", Path(__file__).parents[2] / "../shared/data")
).resolve()


def reference_ticks(name: str) -> TickArray:
    """The ticks of `ticks/<name>.parquet`, shape (n,), counted within their millisecond."""
    table = pq.read_table(DATA / "ticks" / f"{name}.parquet")
    ticks = np.zeros(table.num_rows, TICK)
    for column in ("time_msc", "bid", "ask", "last", "volume", "flags"):
        ticks[column] = table[column].to_numpy()
    ticks["seq"] = count_within_millisecond(ticks["time_msc"])
    ticks["quality"] = np.where(ticks["seq"] > 0, SAME_MILLISECOND, 0)
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks
