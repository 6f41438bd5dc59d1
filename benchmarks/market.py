"""Ticks to measure with: the recorded test data, or a generated market where there is none."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from adapters.simulator.markets.generated_files import write_parquet
from core.contracts.tick import TICK, TickArray

_DATA = Path(
    os.environ.get("TICKHOUSE_TEST_DATA", Path(__file__).parents[1] / "../shared/data")
).resolve()
_START = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday
_HOURS = 72.0


def recorded_files() -> list[Path]:
    """The three oanda feeds of the test data; empty where it is not."""
    files = [_DATA / "ticks" / f"{name}_oanda.parquet" for name in ("EURUSD", "NZDUSD", "XAUUSD")]
    return files if all(path.exists() for path in files) else []


def write_generated(directory: Path) -> list[Path]:
    """Three days of the generated market as three files, about 2.6 million ticks."""
    return write_parquet(directory, ("EURUSD", "NZDUSD", "XAUUSD"), _START, _HOURS)


def read_ticks(path: Path, limit: int | None = None) -> TickArray:
    """Time, bid and ask of the first `limit` ticks of a normalised parquet, shape (n,)."""
    table = pq.read_table(path, columns=["time_msc", "bid", "ask"]).slice(0, limit)
    ticks = np.zeros(table.num_rows, TICK)
    for column in ("time_msc", "bid", "ask"):
        ticks[column] = table[column].to_numpy()
    return ticks


def some_ticks(path: Path | None = None, limit: int | None = None) -> TickArray:
    """Ticks of a file, else of the first recorded one, else of the generated market."""
    if path is not None:
        return read_ticks(path, limit)
    with tempfile.TemporaryDirectory() as scratch:
        return read_ticks((recorded_files() or write_generated(Path(scratch)))[0], limit)
