"""The answering side of a door: requests wait in a queue, one thread works on them in turn.

There is one answerer behind a door. Who finds another there when it comes leaves again; so does
who lost the connection for a while and finds a newcomer.
"""

import logging
import platform
import queue
import secrets
import threading
import time
from collections.abc import Callable

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.bus.nats.connection import Connection
from adapters.bus.rpc import base as door
from adapters.bus.rpc.base import Hello
from adapters.bus.rpc.client import roll_call
from core.errors import BusyError, UnavailableError
from core.mailbox import Mailbox
from core.sections import BusSettings

_log = logging.getLogger(__name__)
_WAIT_S = 0.2


class Request(msgspec.Struct):
    """One request, as whom it comes (empty: as an older version asks), where its answer goes."""

    client: Client
    role: str
    reply: str
    payload: bytes
    deadline_us: int


class RpcServer:
    """Stands behind a door from `claim` to `close`.

    Raises:
        SettingsError: the settings or the name cannot be, see `door.check`.
    """

    def __init__(self, settings: BusSettings, name: str) -> None:
        door.check(settings, name)
        self._name, self._id = name, secrets.token_hex(8)
        self._waiting: Mailbox[Request] = Mailbox()
        self._ready = False
        self._others: set[str] = set()  # who came while we did
        self._rival = ""
        self._connection = Connection(
            settings.url, settings, f"agent {name}", role="agent", streams=False
        )
        self.url = self._connection.url
        self._connection.start(self._connection.attach(self))

    def claim(self, timeout_s: float = 30.0) -> None:
        """Take the place.

        Raises:
            UnavailableError: the server stays away, or refuses us.
            BusyError: another has it.
        """
        deadline = time.monotonic() + timeout_s
        while not self._ready:
            self._refuse_if_taken()
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{self.url}: {self._connection.problem or 'slow'}; is the server there, and"
                    " are user, password and CA (TICKHOUSE_BUS__CA) those it knows?"
                )
            time.sleep(0.02)

    def serve(self, answer: Callable[[bytes, str], bytes], stop: threading.Event) -> None:
        """Work until told to stop, in this thread; `answer` is given a request and its role.

        Raises:
            BusyError: another took the place while the connection was lost.
        """
        while not stop.is_set():
            self._refuse_if_taken()
            try:
                request = self._waiting.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if time.time_ns() // 1000 > request.deadline_us:
                self._say(request, [b""], {door.TOO_LATE: "1"})
            else:
                self._say(request, list(door.parts(answer(request.payload, request.role))), None)

    def close(self) -> None:
        """Leave, after the answers at hand are out."""
        client = self._connection.client
        if client is not None:
            self._connection.start(client.flush(5)).result(6.0)
        self._connection.close()

    def _refuse_if_taken(self) -> None:
        if self._rival:
            raise BusyError(
                f"another agent named {self._name} answers already, on {self._rival}: stop it, or"
                " give this one a name of its own (TICKHOUSE_TERMINAL__AGENT)"
            )

    def _say(self, request: Request, messages: list[bytes], headers: dict[str, str] | None) -> None:
        """Answer over the connection that the request came by; on another nobody would listen."""

        async def publish() -> None:
            for message in messages:
                await request.client.publish(request.reply, message, headers=headers)

        if request.client is self._connection.client:
            self._connection.start(publish())
        else:
            _log.warning("the connection was lost before an answer; who asked must look for it")

    # -- the loop's thread -----------------------------------------------------------------

    async def resume(self, client: Client) -> None:
        """Listen, and see whether somebody else does."""

        mine = door.subject(self._name, self._id)

        async def take(message: Msg) -> None:
            deadline = int((message.headers or {}).get(door.DEADLINE, "0"))
            _, named, role = message.subject[len(mine) :].rpartition(".as.")
            self._waiting.put(
                Request(client, role if named else "", message.reply, message.data, deadline)
            )

        async def alive(message: Msg) -> None:
            await client.publish(message.reply, b"1")

        await client.subscribe(door.subject(self._name, "hello"), cb=self._greet)
        await client.subscribe(mine, cb=take)
        await client.subscribe(f"{mine}.as.*", cb=take)
        await client.subscribe(door.subject(self._name, self._id, "alive"), cb=alive)
        self._ready = False
        self._others.clear()
        answers = await roll_call(client, self._name, Hello(self._id, host=platform.node()))
        for hello in answers.hellos:
            if hello.id != self._id and (hello.ready or hello.id < self._id):
                self._rival = hello.host or "another host"
        if any(other < self._id for other in self._others):
            self._rival = self._rival or "another host"
        self._ready = not self._rival

    def check(self) -> None:
        """Silence is no sign of anything here."""

    async def _greet(self, message: Msg) -> None:
        hello = msgspec.json.decode(message.data, type=Hello)
        if hello.id and hello.id != self._id and not self._ready:
            self._others.add(hello.id)  # we came together: the lower id stays
        client = self._connection.client
        me = Hello(self._id, self._ready, time.time_ns() // 1000, platform.node())
        target = client or message._client
        await target.publish(message.reply, msgspec.json.encode(me))
