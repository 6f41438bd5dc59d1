"""The outbox of one topic: what is queued, on the wire, and lately acknowledged.

Messages leave in order, up to a window of them unacknowledged. On a new connection everything
unacknowledged is sent again in order; JetStream drops what it has by message id.

For an unsynced topic the same is done with what was acknowledged in the last second,
because a killed server forgets its last few unwritten milliseconds. So the hole closes as long
as this process lives; when it dies with the server, `last` tells its successor where to resume.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from core.errors import MessageError, UnavailableError
from core.topics import Topic

_log = logging.getLogger(__name__)
WINDOW = 128  # messages on the wire
WINDOW_BYTES = 16 * 2**20
QUEUE_BYTES = 256 * 2**20  # beyond this `send` waits for room
KEPT_S, KEPT_BYTES = 1.0, 64 * 2**20  # the server writes within some 10 ms
HEADER_BYTES = 1024  # room for the message id within the server's max_payload
_ACK_S = 5.0  # an older unacknowledged message makes us send again
_RETRY_PAUSE_S = 0.1


class _Refusal(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Acknowledgement(msgspec.Struct):
    seq: int = 0
    error: _Refusal | None = None


_decode = msgspec.json.Decoder(_Acknowledgement).decode


class Entry:
    """One message on its way. `stored` resolves to its sequence."""

    __slots__ = ("acked", "message_id", "payload", "sent_s", "stored", "subject")

    def __init__(self, subject: str, payload: bytes, message_id: str, wanted: bool) -> None:
        self.subject, self.payload, self.message_id = subject, payload, message_id
        self.stored: Future[int] | None = Future() if wanted else None
        self.sent_s = 0.0
        self.acked = False


class Outbox:
    """Queue and window of one topic. `put`, `flush`, `withdraw` from any thread."""

    def __init__(self, topic: Topic, post: Callable[..., None]) -> None:
        self._topic, self._post = topic, post
        self._room = threading.Condition()
        self._bytes = self._put = self._done = 0  # guarded by _room
        self._failure: Exception | None = None
        self._ids, self._count = uuid.uuid4().hex[:12], 0
        self._queue: deque[Entry] = deque()
        self._window: dict[str, Entry] = {}
        self._window_bytes = 0
        self._kept: deque[tuple[float, Entry]] = deque()
        self._kept_bytes = 0
        self._client: Client | None = None
        self._inbox = ""
        self._tokens = 0
        self._task: asyncio.Future[None] | None = None  # the loop itself holds tasks weakly
        self._pumping: Client | None = None

    # -- any thread ------------------------------------------------------------------------

    def put(
        self, key: str, payload: bytes, message_id: str, wanted: bool, timeout_s: float
    ) -> Entry:
        """Queue one message; wait only while too much is queued already.

        Raises:
            UnavailableError: there was no room for `timeout_s`; the message is not queued.
            MessageError: the bus refused an earlier message that nobody waited for.
        """
        with self._room:
            self._raise_failure()
            if self._bytes and not self._room.wait_for(
                lambda: self._bytes + len(payload) <= QUEUE_BYTES or not self._bytes, timeout_s
            ):
                raise UnavailableError(
                    f"{self._bytes >> 20} MiB wait for the bus on topic {self._topic.name}"
                )
            self._put += 1
            self._bytes += len(payload)
            message_id = message_id or f"{self._ids}.{self._put}"
            entry = Entry(f"{self._topic.name}.{key}", payload, message_id, wanted)
            self._queue.append(entry)  # under the lock: two threads' order is the ids' order
        self._post(self._wake)
        return entry

    def counts(self) -> tuple[int, int]:
        """Messages that were put, and those of them that are stored or withdrawn."""
        return self._put, self._done

    def flush(self, timeout_s: float) -> int:
        """Wait until all that was put before is stored; return how many are still not."""
        with self._room:
            target = self._put
            self._room.wait_for(lambda: self._done >= target or bool(self._failure), timeout_s)
            self._raise_failure()
            return max(target - self._done, 0)

    def withdraw(self, entry: Entry) -> None:
        """Stop trying to send a message. It may be stored already."""
        self._post(self._withdraw, entry)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    # -- the loop's thread -----------------------------------------------------------------

    async def resume(self, client: Client) -> None:
        """Take a new connection: send again, in order, what may not be stored."""
        self._client = None
        self._rewind([entry for _, entry in self._kept])
        self._kept.clear()
        self._kept_bytes = 0
        self._inbox = client.new_inbox()
        await client.subscribe(f"{self._inbox}.*", cb=self._on_ack)
        self._client = client
        self._wake()

    def check(self) -> None:
        """Send again when the oldest acknowledgement is overdue."""
        oldest = next(iter(self._window.values()), None)
        if oldest is not None and time.monotonic() - oldest.sent_s > _ACK_S:
            _log.warning("topic %s: no acknowledgement; sending again", self._topic.name)
            self._rewind([])
            self._wake()

    def _rewind(self, before: list[Entry]) -> None:
        self._queue.extendleft(reversed([*before, *self._window.values()]))
        self._window.clear()
        self._window_bytes = 0

    def _wake(self) -> None:
        client = self._client
        if client is not None and client is not self._pumping and self._queue:
            self._pumping = client
            self._task = asyncio.ensure_future(self._pump(client))

    async def _pump(self, client: Client) -> None:
        try:
            while self._queue and client is self._client and self._window_open():
                entry = self._queue.popleft()
                await self._transmit(client, entry)
        except (OSError, nats.errors.Error) as error:
            _log.debug("topic %s: %s", self._topic.name, error)  # a new connection will come
        finally:
            if self._pumping is client:  # else a newer connection has its own pump
                self._pumping = None

    def _window_open(self) -> bool:
        return len(self._window) < WINDOW and self._window_bytes < WINDOW_BYTES

    async def _transmit(self, client: Client, entry: Entry) -> None:
        limit = client.max_payload - HEADER_BYTES
        if len(entry.payload) > limit:
            self._refuse(entry, f"{len(entry.payload)} bytes, this server takes {limit}")
            return
        self._tokens += 1
        token = str(self._tokens)
        entry.sent_s = time.monotonic()
        self._window[token] = entry
        self._window_bytes += len(entry.payload)
        await client.publish(
            entry.subject,
            entry.payload,
            reply=f"{self._inbox}.{token}",
            headers={"Nats-Msg-Id": entry.message_id},
        )

    def _leave_window(self, token: str) -> Entry | None:
        entry = self._window.pop(token, None)
        if entry is not None:
            self._window_bytes -= len(entry.payload)
        return entry

    async def _on_ack(self, message: Msg) -> None:
        token = message.subject.rpartition(".")[2]
        if token not in self._window:
            return  # of before a rewind: the copy sent since then is acknowledged as well
        reply = _decode(message.data) if message.data else _Acknowledgement(error=_Refusal(503))
        if reply.error is None:
            entry = self._leave_window(token)
            assert entry is not None
            self._complete(entry, reply.seq)
            self._wake()
        elif reply.error.code == 400:
            entry = self._leave_window(token)
            assert entry is not None
            self._refuse(entry, reply.error.description)
        else:  # no stream yet, storage failing: hold the order, try all of it again
            _log.warning("topic %s: %s; trying again", self._topic.name, reply.error)
            await self._retry()

    async def _retry(self) -> None:
        client, self._client = self._client, None
        self._rewind([])
        await asyncio.sleep(_RETRY_PAUSE_S)
        if self._client is None and client is not None and client.is_connected:
            self._client = client
            self._wake()

    def _complete(self, entry: Entry, sequence: int) -> None:
        if not self._topic.synced:
            self._keep(entry)
        if entry.acked:
            return
        entry.acked = True
        self._settle(entry)
        if entry.stored is not None and not entry.stored.done():
            entry.stored.set_result(sequence)

    def _keep(self, entry: Entry) -> None:
        now = time.monotonic()
        self._kept.append((now, entry))
        self._kept_bytes += len(entry.payload)
        while self._kept_bytes > KEPT_BYTES or self._kept[0][0] < now - KEPT_S:
            _, oldest = self._kept.popleft()
            self._kept_bytes -= len(oldest.payload)

    def _refuse(self, entry: Entry, reason: str) -> None:
        error = MessageError(
            f"the bus refused message {entry.message_id} on {entry.subject}: {reason}"
        )
        if entry.stored is not None:
            entry.stored.set_exception(error)
        else:
            self._failure = error
        self._settle(entry)

    def _withdraw(self, entry: Entry) -> None:
        if entry in self._queue:
            self._queue.remove(entry)
        token = next((t for t, e in self._window.items() if e is entry), None)
        if token is not None:
            self._leave_window(token)
        if not entry.acked:
            entry.acked = True
            self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        with self._room:
            self._done += 1
            self._bytes -= len(entry.payload)
            self._room.notify_all()
