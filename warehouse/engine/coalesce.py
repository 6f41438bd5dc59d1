"""Small inserts with `async_insert=1` share one statement and are acknowledged after its commit.

While an insert into a table runs, those that arrive for the same table wait and go together next:
no timer, so a lone insert is not delayed. Data is joined only where its pieces are known to be
whole rows, because half a row would swallow its neighbour's. If the shared statement fails, each
insert is tried alone and gets its own error.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from core.errors import WarehouseError
from warehouse.engine.connection import Answer, Context
from warehouse.protocol import native_block
from warehouse.protocol.statement import Statement, balanced

_LARGEST = 1 << 20  # an insert of this size gains nothing from company
# Data that could not be read: nothing is stored yet, so each insert may be tried alone. After any
# other error some rows may be stored, and trying again would store them twice.
_UNREADABLE = frozenset(
    {6, 25, 26, 27, 33, 38, 41, 53, 62, 69, 72, 117, 130, 131, 349, 376, 441, 467, 675, 676}
)
_Run = Callable[[str, Statement, Context], Awaitable[Answer]]
_Key = tuple[str, str, str, str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Waiting:
    statement: Statement
    context: Context
    done: asyncio.Future[Answer]


@dataclass(slots=True)
class _Line:
    waiting: list[_Waiting] = field(default_factory=list)


class Coalescer:
    """Joins inserts. run: executes one statement of a user. Used from one event loop."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._lines: dict[_Key, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def insert(self, user: str, statement: Statement, context: Context) -> Answer:
        """Insert, maybe with others; returns when the rows are stored.

        Raises:
            WarehouseError: this insert was refused.
        """
        key = _key(user, statement, context)
        item = _Waiting(statement, context, asyncio.get_running_loop().create_future())
        line = self._lines.get(key)
        if line is not None:
            line.waiting.append(item)
        else:
            self._lines[key] = _Line([item])
            task = asyncio.create_task(self._drain(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await item.done

    async def _drain(self, key: _Key) -> None:
        line = self._lines[key]
        while line.waiting:
            batch = _take(line.waiting)
            if len(batch) == 1 or not await self._together(key[0], batch):
                for item in batch:
                    await self._alone(key[0], item)
        del self._lines[key]

    async def _together(self, user: str, batch: list[_Waiting]) -> bool:
        first = batch[0]
        separator = b"," if first.statement.input_format == "Values" else b""
        if first.statement.input_format == "JSONEachRow":
            separator = b"\n"
        data = separator.join(item.statement.data for item in batch)
        try:
            answer = await self._run(user, replace(first.statement, data=data), first.context)
        except WarehouseError as error:
            if error.code in _UNREADABLE:
                return False
            for item in batch:
                _fail(item, error)
            return True
        for item in batch:
            _settle(item, answer)
        return True

    async def _alone(self, user: str, item: _Waiting) -> None:
        try:
            _settle(item, await self._run(user, item.statement, item.context))
        except WarehouseError as error:
            _fail(item, error)


def joinable(statement: Statement, context: Context) -> bool:
    """Whether this insert may share a statement with others."""
    data = statement.data
    if not data or len(data) >= _LARGEST or context.tables or context.parameters:
        return False
    if "insert_deduplication_token" in context.settings:
        return False
    check = _WHOLE_ROWS.get(statement.input_format)
    return check is not None and check(data)


def _take(waiting: list[_Waiting]) -> list[_Waiting]:
    size = count = 0
    while count < len(waiting) and (not count or size < _LARGEST):
        size += len(waiting[count].statement.data)
        count += 1
    batch = waiting[:count]
    del waiting[:count]
    return batch


def _key(user: str, statement: Statement, context: Context) -> _Key:
    settings = tuple(sorted(context.settings.items()))
    return user, statement.sql, statement.input_format, context.database, settings


def _settle(item: _Waiting, answer: Answer) -> None:
    if not item.done.done():
        item.done.set_result(answer)


def _fail(item: _Waiting, error: WarehouseError) -> None:
    if not item.done.done():
        item.done.set_exception(WarehouseError(str(error), error.code))


def _json_rows(data: bytes) -> bool:
    try:
        return all(isinstance(json.loads(line), dict) for line in data.splitlines() if line.strip())
    except ValueError:
        return False


_WHOLE_ROWS: dict[str, Callable[[bytes], bool]] = {
    "Native": native_block.complete,
    "JSONEachRow": _json_rows,
    "Values": balanced,
}
