"""How many statements run and how many may wait for a thread.

A full queue refuses at once with ClickHouse's error 202: piling up would only turn a busy server
into a slow one, and a refused client knows when to come again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.errors import WarehouseError
from warehouse.protocol.status import TOO_MANY_QUERIES

_T = TypeVar("_T")


class Admission:
    """`threads` jobs at once, up to `waiting` more in line. Used from one event loop."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="statement")
        self._limit, self._jobs = threads + waiting, 0

    async def enter(self, job: Callable[[], _T]) -> _T:
        """Run a new request's job.

        Raises:
            WarehouseError: 202, the line is full.
        """
        if self._jobs >= self._limit:
            raise WarehouseError(
                f"Code: {TOO_MANY_QUERIES}. DB::Exception: Too many simultaneous queries: "
                f"{self._jobs} run or wait, try again. (TOO_MANY_SIMULTANEOUS_QUERIES)",
                TOO_MANY_QUERIES,
            )
        return await self.proceed(job)

    async def proceed(self, job: Callable[[], _T]) -> _T:
        """Run the next step of a request that is already in. Never refused, not cancellable."""
        self._jobs += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Wait for running jobs."""
        self._pool.shutdown(wait=True)

    def _leave(self, future: object) -> None:
        self._jobs -= 1
