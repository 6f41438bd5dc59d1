"""The asking side of a door: one request at a time, and a clear word on what became of it.

ConnectionRefusedError: the request was surely not carried out. Any other OSError: nobody knows.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as NotInTime
from functools import partial
from typing import Any, TypeVar

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.bus.nats.connection import FAILURES, Connection
from adapters.bus.roles import OWNER, ROLES, checked
from adapters.bus.rpc import base as door
from adapters.bus.rpc.base import Hello, Joined
from core.errors import SettingsError
from core.process import Stopping
from core.sections import BusSettings

_LOOK_S = 0.3  # how long answers to a hello are collected
_ALIVE_S = 1.0  # between two looks whether who works on a request is still there
_PAUSE_S = 0.05
_NO_RESPONDERS = "503"

T = TypeVar("T")


class NobodyError(ConnectionRefusedError):
    """Nobody listens where the request went."""


class RpcClient:
    """Requests to whoever stands behind a door. One thread.

    Once `stopping` is set, nobody is looked for or waited for: for who sends no orders, as the
    outcome of one on its way would be unknown.

    Raises:
        SettingsError: the settings or the name cannot be, see `door.check`.
    """

    def __init__(
        self,
        settings: BusSettings,
        name: str,
        role: str = OWNER,
        stopping: Stopping | None = None,
    ) -> None:
        door.check(settings, name)
        self._name, self._role = name, ROLES[checked(role)].door
        self._connection = Connection(settings.url, settings, f"asks {name}", role, streams=False)
        self._url = self._connection.url
        self._to = ""  # who answered last
        self._unheard = False  # who is there took no request
        self._ahead_us = 0  # its clock over ours
        self._stopping: threading.Event = stopping or threading.Event()

    def open(self, timeout_s: float) -> bool:
        """Find who stands behind it; False when nobody does in time.

        Raises:
            SettingsError: two do, so requests could go to either.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self._stopping.is_set():
            client = self._connection.client
            hellos = self._run(self._who_answers(client), 5.0) if client else []
            ready = {hello.id: hello for hello in hellos if hello.ready}
            if len(ready) > 1:
                hosts = ", ".join(sorted(hello.host for hello in ready.values()))
                raise SettingsError(
                    f"{len(ready)} agents are named {self._name} ({hosts}): stop all but one, or"
                    " give each a name of its own (TICKHOUSE_TERMINAL__AGENT)"
                )
            if ready:
                self._to = next(iter(ready))
                return True
            time.sleep(_PAUSE_S)
        self._unheard = False
        return False

    @property
    def problem(self) -> str:
        """Why nobody was found."""
        if self._unheard:
            return (
                f"the agent {self._name} at {self._url} takes no request of this version: it is"
                " an older one; install the same version of Tickhouse beside the terminal"
            )
        if self._connection.up:
            return f"no agent {self._name} at {self._url}"
        return f"{self._url}: {self._connection.problem}"

    def ask(self, request: bytes, timeout_s: float) -> bytes:
        """Send once, and wait for the answer.

        Raises:
            ConnectionRefusedError: it was not carried out and will not be.
            OSError: no answer; it may have been carried out.
        """
        client = self._connection.client
        if client is None or not self._to:
            raise ConnectionRefusedError(self.problem)
        try:
            answer = self._run(self._exchange(client, request, timeout_s), timeout_s + 5.0)
        except NobodyError:
            self._unheard = True
            raise
        self._unheard = False
        return answer

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = self._connection.start(work)
        try:
            return future.result(timeout_s)
        except NotInTime as error:
            future.cancel()
            raise TimeoutError("no answer") from error
        except FAILURES as error:
            if isinstance(error, OSError):
                raise
            raise ConnectionResetError(str(error)) from error

    async def _who_answers(self, client: Client) -> list[Hello]:
        asked_us = time.time_ns() // 1000
        answers = await roll_call(client, self._name, Hello(""))
        middle_us = (asked_us + answers.first_us) // 2 if answers.hellos else asked_us
        if answers.hellos:
            self._ahead_us = answers.hellos[0].now_us - middle_us
        return answers.hellos

    async def _exchange(self, client: Client, request: bytes, timeout_s: float) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        inbox = client.new_inbox()
        listening = await client.subscribe(inbox, cb=partial(_take, answer, Joined()))
        try:
            deadline_us = time.time_ns() // 1000 + self._ahead_us + round(timeout_s * 1e6)
            await client.publish(
                door.subject(self._name, self._to, "as", self._role), request, reply=inbox,
                headers={door.DEADLINE: str(deadline_us)},
            )  # fmt: skip
            return await self._await(client, answer, timeout_s)
        finally:
            if client.is_connected:
                await listening.unsubscribe()

    async def _await(
        self, client: Client, answer: "asyncio.Future[bytes]", timeout_s: float
    ) -> bytes:
        end = time.monotonic() + timeout_s
        while not answer.done():
            wait_s = min(_ALIVE_S, end - time.monotonic())
            if wait_s <= 0:
                raise TimeoutError("no answer in time")
            if self._stopping.is_set():
                raise ConnectionAbortedError("not waited for any longer")
            await asyncio.wait({answer}, timeout=wait_s)
            if not answer.done():
                await self._still_there(client)
        return answer.result()

    async def _still_there(self, client: Client) -> None:
        """Whether who works on a request lives; raises a ConnectionError when not."""
        if client is not self._connection.client:
            raise ConnectionResetError("the connection was lost before the answer")
        try:
            await client.request(door.subject(self._name, self._to, "alive"), b"", timeout=5.0)
        except Exception as error:
            self._to = ""
            raise ConnectionResetError(f"the agent is gone before its answer: {error!r}") from error


class Answers(msgspec.Struct):
    """Who answered a hello, and when the first did."""

    hellos: list[Hello]
    first_us: int = 0


async def roll_call(client: Client, name: str, hello: Hello) -> Answers:
    """Everybody who answers a hello within a short while."""
    answers, nobody = Answers([]), asyncio.Event()

    async def take(message: Msg) -> None:
        if not message.data:  # NATS says that nobody listens
            nobody.set()
            return
        answers.first_us = answers.first_us or time.time_ns() // 1000
        answers.hellos.append(msgspec.json.decode(message.data, type=Hello))

    inbox = client.new_inbox()
    listening = await client.subscribe(inbox, cb=take)
    try:
        await client.publish(door.subject(name, "hello"), msgspec.json.encode(hello), reply=inbox)
        await asyncio.wait({asyncio.ensure_future(nobody.wait())}, timeout=_LOOK_S)
    finally:
        nobody.set()
        if client.is_connected:
            await listening.unsubscribe()
    return answers


async def _take(answer: "asyncio.Future[bytes]", joined: Joined, message: Msg) -> None:
    if answer.done():
        return
    headers = message.headers or {}
    if headers.get("Status") == _NO_RESPONDERS:
        answer.set_exception(NobodyError("the request found nobody: nothing was carried out"))
        return
    if door.TOO_LATE in headers:
        late = "the request came too late: nothing was carried out"
        answer.set_exception(ConnectionRefusedError(late))
        return
    try:
        whole = joined.take(message.data)
    except ValueError as error:
        answer.set_exception(ConnectionResetError(str(error)))
        return
    if whole is not None:
        answer.set_result(whole)
