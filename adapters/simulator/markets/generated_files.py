"""The generated market as files for a replay."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.simulator.markets.generated import DAY_MSC, day_ticks
from adapters.simulator.markets.generated_market import SOURCE
from adapters.simulator.markets.tape import Ticks


def write_parquet(
    directory: Path, symbols: Sequence[str], start: datetime, hours: float, seed: int = 7
) -> list[Path]:
    """Write `SYMBOL_sim.parquet` files in the normalised format, one per symbol.

    Args:
        directory: made when missing.
        symbols: with a profile in `generated.PROFILES`.
        start: first moment, aware of its time zone.
        hours: length of market time.
        seed: of the market.

    Raises:
        SettingsError: a symbol without a profile.
    """
    directory.mkdir(parents=True, exist_ok=True)
    begin = int(start.astimezone(UTC).timestamp() * 1000)
    end = begin + int(timedelta(hours=hours).total_seconds() * 1000)
    paths = []
    for symbol in symbols:
        path = directory / f"{symbol}_{SOURCE}.parquet"
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            for ticks in _between(symbol, begin, end, seed):
                writer.write_table(_table(symbol, ticks))
        paths.append(path)
    return paths


_SCHEMA = pa.schema(
    [
        ("symbol", pa.dictionary(pa.int32(), pa.string())),
        ("time_msc", pa.int64()),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("last", pa.float64()),
        ("volume", pa.float64()),
        ("flags", pa.uint32()),
    ]
)


def _between(symbol: str, begin: int, end: int, seed: int) -> Iterator[Ticks]:
    for day in range(begin // DAY_MSC, -(-end // DAY_MSC)):
        ticks = day_ticks(symbol, day, seed)
        time = ticks["time_msc"]
        yield ticks[(time >= begin) & (time < end)]


def _table(symbol: str, ticks: Ticks) -> pa.Table:
    indices = np.zeros(len(ticks), np.int32)
    columns = [pa.DictionaryArray.from_arrays(indices, [symbol])]
    columns += [
        pa.array(np.ascontiguousarray(ticks[name]))
        for name in ("time_msc", "bid", "ask", "last", "volume_real", "flags")
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)
