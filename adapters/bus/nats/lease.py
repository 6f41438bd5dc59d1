"""Implements LeasePlace on a stream of its own: a publish names the sequence that it replaces.

The server compares and stores in one step, on disk before it answers, so of two who replace the
same record one is told that it came second.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as NotInTime
from typing import Any, TypeVar

import msgspec
from nats.aio.client import Client
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import BadRequestError

from adapters.bus.bus_key import checked
from adapters.bus.lease import LEASES, ChangedError, Written
from adapters.bus.nats.connection import FAILURES, Connection
from adapters.bus.nats.server import DEFAULT_PORT
from adapters.bus.nats.streams import last_message
from core.errors import UnavailableError
from core.sections import BusSettings

_KNOWN = "Nats-Expected-Last-Subject-Sequence"
_PAUSE_S = 0.05

T = TypeVar("T")


class _Refusal(msgspec.Struct):
    description: str = ""


class _Answer(msgspec.Struct):
    seq: int = 0
    error: _Refusal | None = None


class NatsLease:
    """The record of one account. Any thread."""

    def __init__(self, settings: BusSettings, account: str, role: str) -> None:
        self._subject = f"{LEASES.name}.{checked(account)}"
        url = settings.url or f"nats://127.0.0.1:{DEFAULT_PORT}"
        self._connection = Connection(url, settings, f"lease {account}", role, streams=False)
        self._connection.start(self._connection.attach(self))

    def read(self, timeout_s: float) -> Written | None:
        """See LeasePlace."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self._run(self._read, deadline - time.monotonic())
            except FAILURES as error:
                if time.monotonic() > deadline:
                    raise self._away(error) from error
                time.sleep(_PAUSE_S)

    def replace(self, payload: bytes, known: int, timeout_s: float) -> int:
        """See LeasePlace."""

        async def publish(client: Client) -> bytes:
            headers = {_KNOWN: str(known)}
            answer = await client.request(
                self._subject, payload, timeout=timeout_s, headers=headers
            )
            return answer.data

        try:
            answer = msgspec.json.decode(self._run(publish, timeout_s), type=_Answer)
        except FAILURES as error:
            raise self._away(error) from error
        if answer.error is not None:
            raise ChangedError(f"{self._subject}: {answer.error.description}")
        return answer.seq

    def close(self) -> None:
        """See LeasePlace."""
        self._connection.close()

    def _run(self, work: Callable[[Client], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        client = self._connection.client
        if client is None:
            raise ConnectionError(self._connection.problem)
        future = self._connection.start(work(client))
        try:
            return future.result(max(timeout_s, 0.0))
        except NotInTime:
            future.cancel()
            raise

    async def _read(self, client: Client) -> Written | None:
        newest = await last_message(client, LEASES, self._subject)
        return Written(newest.payload, newest.sequence) if newest else None

    def _away(self, error: BaseException) -> UnavailableError:
        problem = self._connection.problem or repr(error)
        return UnavailableError(f"no lease from the bus at {self._connection.url} ({problem})")

    # -- the loop's thread -----------------------------------------------------------------

    async def resume(self, client: Client) -> None:
        """Make the stream where it is missing."""
        config = StreamConfig(
            name=LEASES.name,
            subjects=[f"{LEASES.name}.>"],
            storage=StorageType.FILE,
            max_msgs_per_subject=1,
            num_replicas=1,
            allow_direct=True,
        )
        try:
            await client.jetstream().add_stream(config)
        except BadRequestError:
            await asyncio.sleep(0)  # it is there, made by another version

    def check(self) -> None:
        """Silence is no sign of anything here."""
