"""Refused ticks as rows of `tick_quarantine`."""

import numpy as np

from adapters.clickhouse.native import Column
from core.contracts.tick import QuarantineBatch
from streams.rows import Rows


def quarantine_rows(batch: QuarantineBatch) -> Rows:
    """One row per refused tick; its key is source, symbol, origin, row and reason."""
    ticks = batch.ticks
    time_msc = np.array([tick.time_msc for tick in ticks], np.int64)
    columns = (
        Column("source", "String", batch.source),
        Column("symbol", "String", batch.symbol),
        Column("origin", "String", batch.origin),
        Column("row", "UInt64", np.array([tick.row for tick in ticks], np.uint64)),
        Column("time_msc", "Int64", time_msc),
        Column("reason", "String", [tick.reason for tick in ticks]),
        Column("raw", "String", [tick.raw for tick in ticks]),
        Column("run_id", "String", batch.run_id),
        Column("mode", "String", batch.mode),
        Column("ts_recv", "DateTime64(6, 'UTC')", time_msc * 1000),
    )
    return Rows("tick_quarantine", f"{batch.source}.{batch.symbol}", columns, len(ticks))
