"""Bytewax sink over the warehouse writer.

Delivery: at least once; every table's key makes a repeat harmless. An epoch is committed only
after all its rows are stored, because `snapshot` waits for the writer.

A replay's rows are written message by message, so that a repeat gives the same insert blocks;
live rows are merged and written once an epoch or at `merge_rows`.
"""

from collections.abc import Callable
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from adapters.clickhouse.background import BackgroundWriter
from streams.rows import Rows, merge


class Barrier:
    """An item that asks the sink to store all before it and then to call `then`."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then


class WarehouseSink(FixedPartitionedSink[Rows | Barrier, None]):
    """Writes Rows to their tables."""

    def __init__(self, make_writer: Callable[[], BackgroundWriter], merge_rows: int) -> None:
        """`merge_rows` 0: every item becomes one insert block."""
        self._make_writer, self._merge_rows = make_writer, merge_rows

    def list_parts(self) -> list[str]:
        """One partition per process."""
        return ["warehouse"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "_WarehousePartition":
        """A writer of its own, with one connection."""
        return _WarehousePartition(self._make_writer(), self._merge_rows)


class _WarehousePartition(StatefulSinkPartition[Rows | Barrier, None]):
    def __init__(self, writer: BackgroundWriter, merge_rows: int) -> None:
        self._writer, self._merge_rows = writer, merge_rows
        self._pending: dict[tuple[str, str], list[Rows]] = {}
        self._pending_rows = 0

    def write_batch(self, values: list[Any]) -> None:
        for value in values:
            if isinstance(value, Barrier):
                self._flush()
                value.then()
            elif self._merge_rows == 0:
                self._put(value)
            else:
                self._pending.setdefault((value.table, value.group), []).append(value)
                self._pending_rows += value.size
        if self._merge_rows and self._pending_rows >= self._merge_rows:
            self._put_pending()

    def snapshot(self) -> None:
        self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _put(self, rows: Rows) -> None:
        self._writer.put(rows.table, rows.columns)

    def _put_pending(self) -> None:
        for parts in self._pending.values():
            self._put(merge(parts))
        self._pending, self._pending_rows = {}, 0

    def _flush(self) -> None:
        self._put_pending()
        self._writer.flush()
