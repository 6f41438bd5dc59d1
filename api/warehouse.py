"""The warehouse as the API reads it: as an analyst, a few questions at a time, each with an end.

Who has filters or limits there is asked for under their own name, so that the warehouse itself
holds them to these (`warehouse.access.gate`).
"""

import asyncio
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from adapters.clickhouse import client
from adapters.clickhouse.cluster import SHARDED
from api.callers import Caller
from api.problems import ProblemError
from core.errors import UnavailableError, WarehouseError
from core.sections import ClickhouseSettings

_THREADS, _MOST_WAITING, _WITHIN_S = 4, 64, 30
_AWAY = {"Retry-After": "2"}
Value = TypeVar("Value")


class ApiWarehouse:
    """Asks in threads of its own. Used from one event loop."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="warehouse")
        self._mine, self._waiting = threading.local(), 0

    async def ask(self, caller: Caller, question: Callable[[Client], Value]) -> Value:
        """What a function that takes a client says.

        Raises:
            ProblemError: 503 the warehouse is away or busy, 403 it refused.
        """
        if caller.bounds and not self._settings.credentials:
            detail = "you have filters or limits, which only the embedded warehouse holds for us"
            raise ProblemError(403, "filtered", detail)
        if self._waiting >= _MOST_WAITING:
            raise ProblemError(503, "busy", "too much is being asked: try again soon", _AWAY)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._answer, caller, question)
        except UnavailableError as error:
            raise ProblemError(503, "warehouse", "the warehouse is away", _AWAY) from error
        except WarehouseError as error:
            raise _refused(error) from error
        finally:
            self._waiting -= 1

    def knows_versions(self, tables: Collection[str]) -> bool:
        """Whether one server's parts say when tables change: not of what shards have among them."""
        return not self._settings.cluster or SHARDED.isdisjoint(tables)

    def close(self) -> None:
        """Let go of what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, caller: Caller, question: Callable[[Client], Value]) -> Value:
        with client.errors_translated():
            return question(self._client(caller.user if caller.bounds else ""))

    def _client(self, behalf: str) -> Client:
        known: dict[str, Client] = self._mine.__dict__.setdefault("clients", {})
        if behalf not in known:
            if len(known) > 16:
                known.popitem()[1].close()
            known[behalf] = client.connect(_as(self._settings, behalf), _WITHIN_S)
        return known[behalf]


def _as(settings: ClickhouseSettings, behalf: str) -> ClickhouseSettings:
    return replace(settings, user=f"{settings.user}/{behalf}") if behalf else settings


def _refused(error: WarehouseError) -> ProblemError:
    if error.code in (159, 160, 241):  # too slow, too slow as it seems, too much memory
        return ProblemError(503, "limit", "this takes too long or too much: ask for less", _AWAY)
    return ProblemError(403, "warehouse", f"the warehouse refused: code {error.code}")


def rows(one: Client, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a statement."""
    return list(one.query(sql, parameters).named_results())
