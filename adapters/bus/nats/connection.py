"""A connection to NATS that comes back for ever, on an event loop in a thread of its own.

nats-py can reconnect by itself, but then sends what was left in its buffer before anyone can
send again what was lost before it: order would break. So a connection here never comes back; a
new client replaces it, and everyone who uses it is told (`User.resume`) to start afresh from
what he knows. The same path serves first start, server restart and a broken socket.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import nats.errors
from nats.aio.client import Client

from adapters.bus.nats.options import connect_options, may_shape, without_secret
from adapters.bus.nats.streams import ensure_streams
from core.sections import BusSettings

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0
_CHECK_S = 0.25
_CONNECT_S = 5.0
_PING_S = 5
_FORBIDDEN, _REFUSED = "permissions violation", "authorization violation"
_HOW_IN = (
    "the embedded bus knows each process by a password in the home: TICKHOUSE_BUS__CREDENTIALS="
    "HOME/credentials; another server, by TICKHOUSE_BUS__USER and TICKHOUSE_BUS__PASSWORD"
)
FAILURES = (OSError, nats.errors.Error)  # TimeoutError is an OSError

# asyncio's own streams return true there, and it warns of that at the end of a TLS connection.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in record.getMessage())

T = TypeVar("T")


class User(Protocol):
    """Whoever works over the connection. Called on the loop's thread only."""

    async def resume(self, client: Client) -> None:
        """Start afresh on a new connection; the former one is gone. May raise FAILURES."""
        ...

    def check(self) -> None:
        """Called four times a second while connected: time to notice silence. Never waits."""
        ...


class Connection:
    """Keeps one client connected; owns the loop and its thread.

    `name` is how the server lists us, `role` as whom we come (`adapters.bus.roles`).
    `streams`: our streams are made at each new connection; a door for requests needs none.
    """

    def __init__(
        self, url: str, settings: BusSettings, name: str, role: str, *, streams: bool = True
    ) -> None:
        self._url, self._streams, self._role = url, streams, role
        self.url = without_secret(url)  # for people
        self._options = connect_options(settings, role)
        self.problem = "not connected yet"
        self.established = 0  # how many times; one at a time, on the loop's thread
        self.client: Client | None = None
        self._settings, self._name = settings, name
        self._users: list[User] = []
        self._cause: Exception | None = None
        self._closing = False
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(_on_loop_error)
        self._work = self.loop.create_task(self._stay_connected())
        self._thread = threading.Thread(target=self._run, name=f"bus-{name}", daemon=True)
        self._thread.start()

    @property
    def up(self) -> bool:
        """Whether there is a live connection with all streams in place."""
        client = self.client
        return client is not None and client.is_connected

    @property
    def running(self) -> bool:
        """Whether `close` was not called yet."""
        return not self._closing

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Run a function on the loop's thread, soon."""
        self.loop.call_soon_threadsafe(function, *arguments)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Run a coroutine on the loop's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    async def attach(self, user: User) -> None:
        """Let a user in, and resume him at once when connected."""
        self._users.append(user)
        if self.client is not None:
            await user.resume(self.client)

    def detach(self, user: User) -> None:
        """Forget a user. On the loop's thread."""
        if user in self._users:
            self._users.remove(user)

    def close(self) -> None:
        """Disconnect and end the thread."""
        if not self._closing:
            self._closing = True
            self.post(self._work.cancel)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self.loop.run_until_complete(self._work)
            self.loop.run_until_complete(_end_tasks())
        finally:
            self.loop.close()

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            client, lost = Client(), asyncio.Event()
            try:
                await self._attempt(client, lost)
                pause = _FIRST_PAUSE_S
                await self._watch(client, lost)
            except Exception as error:  # whatever it was: this thread must not end
                self._report(error)
            finally:
                self.client = None
                await _dispose(client)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE_S)

    async def _attempt(self, client: Client, lost: asyncio.Event) -> None:
        # A request to a server that dies meanwhile would wait for its whole timeout.
        opening = asyncio.ensure_future(self._open(client, lost))
        breaking = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait(
                {opening, breaking}, timeout=_CONNECT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not opening.done():
                raise client.last_error or ConnectionError("the server does not answer")
            await opening
        finally:
            opening.cancel()
            breaking.cancel()

    async def _open(self, client: Client, lost: asyncio.Event) -> None:
        await client.connect(
            self._url,
            name=self._name,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # the least that ends; 0 tries for ever
            reconnect_time_wait=0,
            connect_timeout=2,
            ping_interval=_PING_S,
            closed_cb=_setter(lost),
            error_cb=self._on_error,
            skip_subject_validation=True,  # ours are validated when they come in
            **self._options,
        )
        if self._streams:
            may = may_shape(self._settings, self._role)
            await ensure_streams(client, self._settings, may_shape=may)
        self.established += 1
        self.client = client  # from here on `attach` resumes newcomers itself
        for user in list(self._users):
            await user.resume(client)
        self.problem = ""
        _log.info("connected to the bus at %s (%d)", self.url, self.established)

    async def _watch(self, client: Client, lost: asyncio.Event) -> None:
        # The callback may be missed (nats-py can fail while closing), hence the periodic look.
        while not (lost.is_set() or client.is_closed):
            try:
                await asyncio.wait_for(lost.wait(), _CHECK_S)
            except TimeoutError:
                for user in list(self._users):
                    user.check()
        self._report(client.last_error or ConnectionError("connection lost"))

    async def _on_error(self, error: Exception) -> None:
        self._cause = error  # of the NoServersError that follows
        if _FORBIDDEN in str(error).lower():
            _log.warning("bus at %s: %s is not allowed this: %s", self.url, self._role, error)
        _note(error)

    def _report(self, error: BaseException) -> None:
        if isinstance(error, nats.errors.NoServersError):
            error = self._cause or error
        text = str(error) or type(error).__name__
        if _REFUSED in text.lower():
            text += f" ({_HOW_IN})"
        if text != self.problem:
            unforeseen = None if isinstance(error, FAILURES) else error
            _log.warning("bus at %s: %s; trying again", self.url, text, exc_info=unforeseen)
        self.problem = text


def _note(error: BaseException | None) -> None:
    if error is None or isinstance(error, FAILURES):
        _log.debug("bus: %s", error)
    else:  # a mistake in a callback, which nats-py and asyncio would swallow
        _log.error("bus: %r", error, exc_info=error)


def _on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # nats-py's tasks end with the error of their broken socket and nobody collects it.
    _note(context.get("exception"))


async def _end_tasks() -> None:
    tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _setter(event: asyncio.Event) -> Callable[[], Coroutine[Any, Any, None]]:
    async def set_event() -> None:
        event.set()

    return set_event


async def _dispose(client: Client) -> None:
    # Also of a client that never finished connecting: its socket must not linger.
    with contextlib.suppress(Exception):
        await client.close()
