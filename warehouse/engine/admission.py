"""Whose statement gets the next thread, and how many may wait.

Who asks much waits behind himself: threads go to users in turn, nobody has all of them, and those
who only read have half of them together. So a crowd of readers, or of strangers, keeps no process
from storing what it has. A full line refuses at once with ClickHouse's error 202: piling up would
only turn a busy server into a slow one, and a refused client knows when to come again.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from core.errors import WarehouseError
from warehouse.protocol.status import TOO_MANY_QUERIES

_T = TypeVar("_T")
_Waiting = tuple[Callable[[], Any], asyncio.Future[Any]]


class Asker(NamedTuple):
    """Whose job it is. reads: he may only read, and shares threads with all who do."""

    name: str
    reads: bool = False


class Admission:
    """`threads` jobs at once, `waiting` more of each user in line. Used from one event loop."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="statement")
        self._free, self._waiting = threads, waiting
        self._share = max(1, threads - max(1, threads // 4))  # of one user
        self._readers = max(1, threads // 2)
        self._lines: dict[Asker, deque[_Waiting]] = {}  # the next to be served first
        self._running: Counter[Asker] = Counter()

    async def enter(self, job: Callable[[], _T], asker: Asker) -> _T:
        """Run a new request's job.

        Raises:
            WarehouseError: 202, the asker's line is full.
        """
        line = len(self._lines.get(asker, ()))
        if line >= self._waiting:
            raise WarehouseError(
                f"Code: {TOO_MANY_QUERIES}. DB::Exception: Too many simultaneous queries of "
                f"{asker.name}: {line} wait, try again. (TOO_MANY_SIMULTANEOUS_QUERIES)",
                TOO_MANY_QUERIES,
            )
        return await self.proceed(job, asker)

    async def proceed(self, job: Callable[[], _T], asker: Asker) -> _T:
        """Run the next step of a request that is already in. Never refused, not cancellable."""
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(asker, deque()).append((job, done))
        self._serve()
        return await asyncio.shield(done)

    def close(self) -> None:
        """Wait for running jobs."""
        self._pool.shutdown(wait=True)

    def _serve(self) -> None:
        while self._free and (asker := next(filter(self._may_run, self._lines), None)):
            line = self._lines.pop(asker)
            job, done = line.popleft()
            if line:
                self._lines[asker] = line  # behind all others
            self._free -= 1
            self._running[asker] += 1
            running = asyncio.get_running_loop().run_in_executor(self._pool, job)
            running.add_done_callback(lambda it, a=asker, d=done: self._leave(it, a, d))  # type: ignore[misc]

    def _may_run(self, asker: Asker) -> bool:
        if self._running[asker] >= self._share:
            return False
        reading = sum(count for who, count in self._running.items() if who.reads)
        return not asker.reads or reading < self._readers

    def _leave(self, ran: asyncio.Future[Any], asker: Asker, done: asyncio.Future[Any]) -> None:
        self._free += 1
        self._running[asker] -= 1
        if not self._running[asker]:
            del self._running[asker]
        self._serve()
        if done.cancelled():
            ran.exception()  # nobody waits for it any more
        elif error := ran.exception():
            done.set_exception(error)
        else:
            done.set_result(ran.result())
