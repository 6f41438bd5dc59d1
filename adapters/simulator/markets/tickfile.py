"""Recorded ticks of one feed in a file, read in chunks so that memory does not grow with it.

`TickFile` is what a replay needs of any format. Normalised parquet lives here; it can also
start at any chunk and read times alone (`SeekableTickFile`), which makes going back cheap.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets.tape import Ticks, Times
from core.errors import InputError

CHUNK_ROWS = 131_072


@runtime_checkable
class MarketFile(Protocol):
    """Ticks of one source and symbol, in source order. Reading twice gives the same chunks."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        ...

    @property
    def source(self) -> str:
        """The broker's name."""
        ...

    @property
    def symbol(self) -> str:
        """The instrument's name."""
        ...

    def chunks(self) -> Iterator[Ticks]:
        """All ticks, dtype MT5_TICK, times in UTC.

        Raises:
            InputError: naming file and row.
        """
        ...


@runtime_checkable
class SeekableTickFile(MarketFile, Protocol):
    """A file that need not be read from its start."""

    def chunks_from(self, number: int) -> Iterator[Ticks]:
        """Chunks from `number` (from 0) on."""
        ...

    def times(self) -> Iterator[Times]:
        """Only `time_msc`, in pieces of any length."""
        ...


def chunks_from(file: MarketFile, number: int) -> Iterator[Ticks]:
    """Chunks of any file from `number` (from 0) on."""
    if isinstance(file, SeekableTickFile):
        return file.chunks_from(number)
    return itertools.islice(file.chunks(), number, None)


def times(file: MarketFile) -> Iterator[Times]:
    """`time_msc` of any file, in source order."""
    if isinstance(file, SeekableTickFile):
        return file.times()
    return (chunk["time_msc"] for chunk in file.chunks())


class ParquetTicks:
    """Normalised parquet: time_msc, bid, ask and, optionally, last, volume, flags, symbol.

    Raises:
        InputError: not parquet, truncated, a column missing or of another type, or another
            symbol inside.
    """

    def __init__(self, path: Path | str, source: str = "", symbol: str = "") -> None:
        """`source` and `symbol` come from the name `SYMBOL_source.parquet` when not given."""
        self.path = str(path)
        named = Path(path).stem.split("_", 1)
        self.symbol = symbol or named[0]
        self.source = source or (named[1] if len(named) == 2 else "")
        if not self.source:
            raise InputError(self.path, "name it SYMBOL_source.parquet or give the source")
        try:
            with pq.ParquetFile(path) as file:
                self._check(file)
                groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        except (OSError, pa.ArrowException) as error:
            raise InputError(self.path, f"not a readable parquet file: {error}") from error
        # (row group, batch within it) of every chunk
        self._chunks = [
            (group, batch)
            for group, rows in enumerate(groups)
            for batch in range(-(-rows // CHUNK_ROWS))
        ]

    def _check(self, file: Any) -> None:
        columns = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
        for name, fits in (
            ("time_msc", pa.types.is_integer),
            ("bid", pa.types.is_floating),
            ("ask", pa.types.is_floating),
        ):
            if name not in columns:
                raise InputError(self.path, f"no column {name!r}; it has {', '.join(columns)}")
            if not fits(columns[name]):
                raise InputError(self.path, f"column {name!r} is {columns[name]}")
        self._columns = [n for n in ("time_msc", *_COPIED, "volume") if n in columns]
        for inside in _symbols(file) if "symbol" in columns else ():
            if inside != self.symbol:
                raise InputError(
                    self.path, f"holds {inside!r}, asked for {self.symbol!r}; give its symbol"
                )

    def chunks(self) -> Iterator[Ticks]:
        """All ticks, dtype MT5_TICK."""
        return self.chunks_from(0)

    def chunks_from(self, number: int) -> Iterator[Ticks]:
        """Chunks from `number` (from 0) on."""
        return (_to_ticks(batch) for batch in self._batches(number, self._columns))

    def times(self) -> Iterator[Times]:
        """Only `time_msc`, chunk by chunk."""
        return (_integers(batch, "time_msc") for batch in self._batches(0, ["time_msc"]))

    def _batches(self, number: int, columns: list[str]) -> Iterator[Any]:
        if number >= len(self._chunks):
            return
        first, skip = self._chunks[number]
        try:
            with pq.ParquetFile(self.path) as file:
                for group in range(first, file.num_row_groups):
                    batches = file.iter_batches(CHUNK_ROWS, row_groups=[group], columns=columns)
                    yield from itertools.islice(batches, skip if group == first else 0, None)
        except (OSError, pa.ArrowException) as error:
            raise InputError(self.path, f"cannot be read to its end: {error}") from error


_COPIED = ("bid", "ask", "last", "flags")


def _symbols(file: Any) -> Iterator[str]:
    column = file.schema_arrow.names.index("symbol")
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(column).statistics
        if statistics is not None and statistics.has_min_max:
            yield from {statistics.min, statistics.max}
        else:
            for batch in file.iter_batches(CHUNK_ROWS, row_groups=[group], columns=["symbol"]):
                yield from (str(value) for value in pc.unique(batch["symbol"]).to_pylist())


def _integers(batch: Any, name: str) -> npt.NDArray[np.int64]:
    return np.asarray(_numpy(batch.column(name), 0), dtype=np.int64)


def _floats(batch: Any, name: str) -> npt.NDArray[np.float64]:
    # a null becomes NaN, which the collector quarantines
    return np.asarray(_numpy(batch.column(name), np.nan), dtype=np.float64)


def _numpy(column: Any, missing: float) -> npt.NDArray[Any]:
    # not column.to_numpy(): that imports pandas where it is installed, a second at every start
    filled = column.fill_null(pa.scalar(missing, column.type)) if column.null_count else column
    return np.from_dlpack(filled)


def _to_ticks(batch: Any) -> Ticks:
    ticks = np.zeros(batch.num_rows, MT5_TICK)
    time = _integers(batch, "time_msc")
    ticks["time_msc"], ticks["time"] = time, time // 1000
    for name in _COPIED:
        if name in batch.schema.names:
            column = _integers if name == "flags" else _floats
            ticks[name] = column(batch, name)
    if "volume" in batch.schema.names:
        volume = _floats(batch, "volume")
        ticks["volume_real"] = volume
        ticks["volume"] = np.clip(np.nan_to_num(volume, posinf=0.0, neginf=0.0), 0, 2**62)
    return ticks
