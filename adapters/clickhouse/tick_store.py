"""Stored ticks, kept and refused: what importers write to.

Blocks go in as they come; a block that was stored before has the same bytes, so the warehouse
recognises it, and its rows have the same keys should it no longer remember.
"""

from adapters.clickhouse.rows import quarantine_columns, tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.tick import QuarantineBatch, TickArray
from core.sections import ClickhouseSettings


class ClickhouseTickStore:
    """Tables `tick` and `tick_quarantine`. Calls return when the rows are stored; they retry
    while the warehouse does not answer, and raise WarehouseError when it refuses.
    """

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._writer = Writer(settings)

    def ticks(self, source: str, symbol: str, ticks: TickArray) -> None:
        """Store ticks of one feed, dtype TICK, shape (n,)."""
        self._writer.insert("tick", tick_columns(source, symbol, ticks))

    def quarantined(self, batch: QuarantineBatch) -> None:
        """Store refused ticks. They were never received live, so `ts_recv` is their own time."""
        received_us = max((tick.time_msc for tick in batch.ticks), default=0) * 1000
        columns = quarantine_columns(batch, min(max(received_us, 0), _LATEST_US))
        self._writer.insert("tick_quarantine", columns)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


_LATEST_US = 4_102_444_800_000_000  # 2100-01-01; a refused time may lie anywhere
