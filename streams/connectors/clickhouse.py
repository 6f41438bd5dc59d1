"""Bytewax sink over the warehouse writer.

Delivery: at least once; every table's key makes a repeat harmless. Rows are gathered into blocks
of about `merge_rows`, because small inserts cost the warehouse as much as large ones. At the end
of an epoch, which is committed only after `snapshot`, rows that are not stored yet

- are handed to the writer's thread (live, and every second besides); what it has not stored
  yet goes into the recovery state, so that no tick waits for an insert, or
- are kept in the recovery state (replay): then blocks are cut by rows alone, whatever the wall
  clock and crashes do, and a repeated replay repeats its blocks, which the warehouse drops.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from adapters.clickhouse.background import BackgroundWriter
from core.crashpoint import reach
from streams.rows import Rows, merge

_SOON_S = 1.0  # live: how long a row may wait for others before it is sent
#: Nobody decides by what is stored, and what is to be watched as it happens comes from the bus. An
#: insert costs the warehouse a part and its merges; one of ticks four, with the bars that follow.
_LATER_S = {
    "tick": 3.0,
    "prediction": 3.0,
    "feature": 5.0,
    "account_state": 5.0,
    "process_state": 5.0,
    "stage_latency": 5.0,
    "portfolio_risk": 5.0,
    "value_at_risk": 5.0,
    "feed_exposure": 5.0,
    "currency_exposure": 5.0,
}

#: Where the clock ends blocks, so many parts are merged at once. Those of seconds would hold up
#: ticks by tens of milliseconds; this many, by three, and fewer ticks than one in a hundred.
_TOGETHER = 128

#: Rows not stored yet, by table.
Pending = dict[str, list[Rows]]


class Barrier:
    """An item that asks the sink to store all before it and then to call `then`."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then


class WarehouseSink(FixedPartitionedSink[Rows | Barrier, Pending]):
    """Writes Rows to their tables."""

    def __init__(
        self,
        make_writer: Callable[[], BackgroundWriter],
        merge_rows: int,
        *,
        every_epoch: bool,
        process: str = "streams",
        shards: int = 1,
        pending: Pending | None = None,
    ) -> None:
        """A sink that is not open yet.

        Args:
            shards: writers; items of key `shard-N` go to the Nth.
            make_writer: opens its connection.
            merge_rows: rows of a table in one block.
            every_epoch: also end a block at each epoch.
            process: names its crash points.
            pending: rows that may not be stored, where nothing is committed yet.
        """
        self._begun: Pending = pending or {}
        self._make_writer, self._merge_rows = make_writer, merge_rows
        self._every_epoch, self._process, self._shards = every_epoch, process, shards

    def list_parts(self) -> list[str]:
        """A writer, or one for each shard."""
        return ["warehouse"] if self._shards == 1 else [f"shard-{n}" for n in range(self._shards)]

    def part_fn(self, item_key: str) -> int:
        """The shard that a key names."""
        return 0 if self._shards == 1 else int(item_key.rpartition("-")[2])

    def build_part(
        self, step_id: str, for_part: str, resume_state: Pending | None
    ) -> "_WarehousePartition":
        """A writer of its own, with one connection."""
        return _WarehousePartition(
            self._make_writer(),
            self._merge_rows,
            self._every_epoch,
            self._process,
            self._begun if resume_state is None else resume_state,
        )


class _WarehousePartition(StatefulSinkPartition[Rows | Barrier, Pending]):
    def __init__(
        self,
        writer: BackgroundWriter,
        merge_rows: int,
        every_epoch: bool,
        process: str,
        pending: Pending,
    ) -> None:
        self._writer, self._merge_rows, self._every_epoch = writer, merge_rows, every_epoch
        self._process = process
        self._pending = {table: list(parts) for table, parts in pending.items()}
        self._sizes = {t: sum(part.size for part in parts) for t, parts in pending.items()}
        self._loose = dict[str, int]()  # parts that came since some of the table were merged
        self._handed_over: deque[Rows] = deque()
        self._stored = 0  # blocks known to be stored
        self._due_s: dict[str, float] = {}

    def write_batch(self, values: list[Any]) -> None:
        for value in values:
            if isinstance(value, Barrier):
                self._flush()
                value.then()
            else:
                self._add(value)
        if self._every_epoch:
            self._put_due()

    def snapshot(self) -> Pending:
        reach(f"{self._process}.commit.before")
        unsure = self._unsure()
        reach(f"{self._process}.commit.after")
        return unsure

    def _unsure(self) -> Pending:
        """Rows that the recovery state has to keep, because they may not be stored."""
        if not self._every_epoch:
            self._writer.flush()
            return {table: list(parts) for table, parts in self._pending.items()}
        self._put_all()
        self._forget_stored()
        unsure: Pending = {}
        for rows in self._handed_over:
            unsure.setdefault(rows.table, []).append(rows)
        return unsure

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _add(self, rows: Rows) -> None:
        if rows.table not in self._pending:
            self._due_s[rows.table] = time.monotonic() + _LATER_S.get(rows.table, _SOON_S)
        parts = self._pending.setdefault(rows.table, [])
        parts.append(rows)
        self._sizes[rows.table] = self._sizes.get(rows.table, 0) + rows.size
        if self._sizes[rows.table] >= self._merge_rows:
            self._put(rows.table)
        elif self._every_epoch:
            self._loose[rows.table] = self._loose.get(rows.table, 0) + 1
            if self._loose[rows.table] == _TOGETHER:
                parts[-_TOGETHER:] = [merge(parts[-_TOGETHER:])]
                self._loose[rows.table] = 0

    def _put(self, table: str) -> None:
        rows = merge(self._pending.pop(table))
        del self._sizes[table]
        self._loose.pop(table, None)
        self._writer.put(table, rows.columns)
        self._handed_over.append(rows)
        self._forget_stored()

    def _forget_stored(self) -> None:
        stored, _, _ = self._writer.stored
        for _ in range(stored - self._stored):
            self._handed_over.popleft()
        self._stored = stored

    def _put_due(self) -> None:
        now_s = time.monotonic()
        for table in [name for name in self._pending if now_s > self._due_s.get(name, 0.0)]:
            self._put(table)

    def _put_all(self) -> None:
        for table in list(self._pending):
            self._put(table)

    def _flush(self) -> None:
        self._put_all()
        self._writer.flush()
