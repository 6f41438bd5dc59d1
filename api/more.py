"""What is no list of one table: where an order came from, a decision recomputed, reports, cases."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from api.callers import Caller
from api.problems import ProblemError
from api.warehouse import ApiWarehouse
from core.clock import Clock
from core.errors import TickhouseError
from core.settings import Settings
from dashboards.live.explained import explained

_SQL = {path.stem: path.read_text() for path in (Path(__file__).parent / "sql").glob("*.sql")}
_FILTERED = "your rows are filtered, which this cannot be: ask for lists instead"


class Rows(msgspec.Struct, frozen=True):
    """Rows as the warehouse names their columns."""

    data: list[dict[str, Any]]


class More:
    """Answers them. Used from one event loop."""

    def __init__(self, settings: Settings, warehouse: ApiWarehouse, clock: Clock) -> None:
        self._settings, self._warehouse, self._clock = settings, warehouse, clock
        self._one_explained = asyncio.Semaphore(1)  # a process with kernels and models

    async def lineage(self, caller: Caller, order: str, run: str) -> bytes:
        """Every event of an order with its signal, prediction, feature row and tick.

        Raises:
            ProblemError: 404 there is no such order, or it is not stored yet.
        """
        return await self._rows(caller, "lineage", order=order, run=run)

    async def reports(self, caller: Caller) -> bytes:
        """Reports that were made, the newest first."""
        return await self._rows(caller, "reports", needs_rows=False)

    async def cases(self, caller: Caller, mode: str, *, closed: bool) -> bytes:
        """Cases of market abuse, incidents and requests of people.

        Raises:
            ProblemError: 503 what they need is not installed, or the warehouse is away.
        """
        _refuse_filtered(caller)
        try:
            from dashboards.compliance.case_desk import CaseDesk
            from dashboards.compliance.questions import Warehouse
        except ImportError as error:
            raise ProblemError(503, "extra", "the extra reports is not installed") from error
        desk = CaseDesk(self._settings, Warehouse(self._settings.clickhouse), self._clock)
        listed = await asyncio.to_thread(desk.listed, mode, closed=closed)
        if listed["problem"]:  # a part of them is no answer
            raise ProblemError(503, "warehouse", "the warehouse is away", {"Retry-After": "2"})
        return msgspec.json.encode(Rows([msgspec.to_builtins(row) for row in listed["cases"]]))

    async def explain(self, caller: Caller, name: str) -> bytes:
        """A signal or order back to its ticks, recomputed and compared bit for bit.

        Raises:
            ProblemError: 404 nothing of that id is stored, or it cannot be recomputed.
        """
        _refuse_filtered(caller)
        if name.startswith("-"):
            raise ProblemError(422, "parameter", "an id begins with a letter or digit")
        async with self._one_explained:
            try:
                return msgspec.json.encode(await asyncio.to_thread(explained, name))
            except TickhouseError as error:
                raise ProblemError(404, "unknown", str(error)[-500:]) from error

    async def _rows(
        self, caller: Caller, name: str, *, needs_rows: bool = True, **parameters: str
    ) -> bytes:
        said = await self._warehouse.ask(
            caller, lambda one: one.raw_query(_SQL[name], parameters, fmt="JSONEachRow")
        )
        if needs_rows and not said:
            raise ProblemError(404, "unknown", "nothing of that id is stored, or not yet")
        return b'{"data":[' + b",".join(said.split(b"\n")[:-1]) + b"]}"


def _refuse_filtered(caller: Caller) -> None:
    if caller.filtered:
        raise ProblemError(403, "filtered", _FILTERED)
