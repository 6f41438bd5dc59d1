"""Ticks of past days from a terminal's history into parquet files, ready for `tickhouse import`."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from adapters.mt5.protocol.constants import COPY_TICKS_ALL
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.broker_file import Broker
from core import durable
from core.errors import SettingsError, UnavailableError

_DAY_S = 86_400
_COLUMNS = ("time_msc", "bid", "ask", "last", "flags")


def backfill(
    terminal: Terminal, broker: Broker, days: int, directory: Path, console: Console
) -> list[Path]:
    """Write one file per symbol, whole or not at all; returns their paths.

    Args:
        terminal: speaks our names and UTC.
        days: back from now.

    Raises:
        SettingsError: pyarrow is not installed.
        UnavailableError: the terminal gave no answer; files of earlier symbols stay.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise SettingsError("--backfill writes parquet: pip install pyarrow") from error
    directory.mkdir(parents=True, exist_ok=True)
    end = int(time.time())
    written = []
    for symbol in broker.symbols:
        path = directory / f"{symbol}_{broker.source}.parquet"
        unfinished = path.with_suffix(".new")
        schema = pa.schema(
            [("time_msc", pa.int64()), ("bid", pa.float64()), ("ask", pa.float64()),
             ("last", pa.float64()), ("flags", pa.uint32()), ("volume", pa.float64())]
        )  # fmt: skip
        count = 0
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as file:
            for day in track(range(days), f"{symbol}, {days} days", console=console):
                ticks = _day(terminal, symbol, end - (days - day) * _DAY_S)
                columns = {name: ticks[name] for name in _COLUMNS}
                columns["volume"] = ticks["volume_real"]
                file.write_table(pa.table(columns, schema=schema))
                count += len(ticks)
        durable.rename(unfinished, path)
        written.append(path)
        console.print(f"{path}: {count:,} ticks", soft_wrap=True)
    console.print(f"Store them: tickhouse import {directory}/*.parquet", soft_wrap=True)
    return written


def _day(terminal: Terminal, symbol: str, begin: int) -> Any:
    # Bounds are inclusive: a day ends a millisecond before the next begins.
    ticks = terminal.copy_ticks_range(symbol, begin, begin + _DAY_S - 0.001, COPY_TICKS_ALL)
    if ticks is None:
        raise UnavailableError(f"no history of {symbol}: {terminal.last_error()[1]}")
    time_msc = ticks["time_msc"]
    return (
        ticks[(time_msc >= begin * 1000) & (time_msc < (begin + _DAY_S) * 1000)]
        if len(ticks)
        else np.zeros(0, ticks.dtype)
    )
