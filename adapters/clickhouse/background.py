"""A writer in a thread of its own, behind a bounded queue: producers go on while blocks are stored.

When the warehouse is slower than the producer the queue fills and `put` waits: backpressure
instead of memory.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.clickhouse.native import Column
from adapters.clickhouse.tick_blocks import TickBlocks
from adapters.clickhouse.writer import Writer
from core.errors import TickhouseError
from core.sections import ClickhouseSettings


@dataclass(frozen=True, slots=True)
class _Insert:
    table: str
    columns: tuple[Column, ...]
    token: str | None


class BackgroundWriter:
    """Inserts in order, one after the other, as `Writer` does.

    The first block that is refused ends the writing: later ones are dropped, and `put`, `flush`
    and `close` raise what failed, so that nothing is acknowledged on top of a hole.
    """

    def __init__(
        self,
        settings: ClickhouseSettings,
        stop: threading.Event | None = None,
        blocks: int = 8,
        make_ticks: Callable[[Writer], TickBlocks] | None = None,
    ) -> None:
        """A writer that has nothing to do yet.

        Args:
            blocks: how many may wait before `put` does.
            make_ticks: what compares blocks of `tick` with those stored; None: they go in as they
                come.
        """
        self._writer = Writer(settings, stop)
        self._ticks = make_ticks(self._writer) if make_ticks else None
        self._done = 0
        self._queue: queue.Queue[_Insert | None] = queue.Queue(blocks)
        self._failure: TickhouseError | None = None
        self._thread = threading.Thread(target=self._work, name="warehouse-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Blocks not yet taken up."""
        return self._queue.qsize()

    @property
    def stored(self) -> tuple[int, int, int]:
        """Blocks of `put` and bytes stored, and tries repeated, since the start."""
        return self._done, self._writer.bytes, self._writer.retries

    def put(self, table: str, columns: Sequence[Column], token: str | None = None) -> None:
        """Hand over the rows of one block; waits while the queue is full.

        Raises what failed before.
        """
        self._raise_failure()
        self._queue.put(_Insert(table, tuple(columns), token))

    def flush(self) -> None:
        """Wait until every block handed over is stored. Raises what failed."""
        self._queue.join()
        self._raise_failure()

    def close(self) -> None:
        """Store what waits, then end. Raises what failed."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._raise_failure()

    def _work(self) -> None:
        while (insert := self._queue.get()) is not None:
            self._store(insert)
            self._queue.task_done()
        self._queue.task_done()
        self._writer.close()

    def _store(self, insert: _Insert) -> None:
        if self._failure is not None:
            return
        try:
            if insert.table == "tick" and self._ticks:
                self._ticks.insert(insert.columns, insert.token)
            else:
                self._writer.insert(insert.table, insert.columns, insert.token)
            self._done += 1
        except TickhouseError as error:
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
