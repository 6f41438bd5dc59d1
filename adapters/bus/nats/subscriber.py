"""A reader of one topic: an ordered push consumer that is replaced whenever it may have erred.

The server keeps nothing for us: the consumer lives in its memory, takes no acknowledgements and
is made anew, from the last seen sequence on, after a reconnect, a skipped delivery or silence.
The server's flow control is answered when the caller has taken what came before it, so that a
slow caller holds a bounded amount of memory.

After a reconnect an unsynced topic is read again from some seconds back and what was seen is
dropped by message id: a killed server may have lost a tail that publishers then send again,
perhaps under other sequences.
"""

import asyncio
import contextlib
import logging
import queue
import time
from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from adapters.bus.base import Message
from adapters.bus.nats.connection import FAILURES, Connection
from core.mailbox import Mailbox
from core.topics import Topic

_log = logging.getLogger(__name__)
_HEARTBEAT_S = 1.0
_SILENCE_S = 3.0
_RECENT_S = 10.0  # longer than a writer takes to reconnect
_RECENT_COUNT, _RECENT_BYTES = 16384, 64 * 2**20  # much more than a server has unwritten
_UNBOUNDED = -1


class _Credit(NamedTuple):
    """The server's question whether the caller has come this far."""

    client: Client
    reply: str


class _Recent(NamedTuple):
    at_s: float
    sequence: int
    size: int


class NatsSubscriber:
    """Reads one topic in order. `next` from one thread; `close` from any."""

    def __init__(self, connection: Connection, topic: Topic, start_sequence: int) -> None:
        self._connection, self._topic = connection, topic
        self._arrived: Mailbox[Message | _Credit | None] = Mailbox()
        self._first = self._next = self._taken = start_sequence
        self._recent: OrderedDict[str, _Recent] = OrderedDict()
        self._recent_bytes = 0
        self._client: Client | None = None
        self._inbox: Subscription | None = None
        self._deliveries = 0  # of the present consumer
        self._generation = 0
        self._heard_s = 0.0
        self._closed = False
        self._task: asyncio.Future[None] | None = None  # the loop itself holds tasks weakly
        connection.start(connection.attach(self))

    # -- the caller's thread ---------------------------------------------------------------

    def next(self, timeout_s: float) -> Message | None:
        """The next message, or None after `timeout_s` without one, or once closed."""
        deadline = time.monotonic() + timeout_s
        while not self._closed:
            try:
                item = self._arrived.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                return None
            if isinstance(item, Message):
                self._taken = item.sequence + 1
                return item
            if item is not None and self._connection.running:
                self._connection.start(_grant(item))
        return None

    def position(self, partition: int = 0) -> int:
        """The sequence that is read next."""
        return self._taken

    def commit(self, message: Message) -> None:
        """Nothing: the server keeps no position for us."""

    def close(self) -> None:
        """Stop reading; a `next` that waits returns None."""
        if not self._closed:
            self._closed = True
            self._arrived.put(None)
            if self._connection.running:
                self._connection.start(self._leave())

    # -- the loop's thread -----------------------------------------------------------------

    async def resume(self, client: Client) -> None:
        """Read on with a new consumer."""
        self._generation += 1
        generation, former = self._generation, self._inbox
        self._client, self._inbox = client, None
        self._heard_s, self._deliveries = time.perf_counter(), 0
        await _leave_inbox(former)
        name = client.new_inbox()
        inbox = await client.subscribe(
            name,
            cb=partial(self._on_message, generation),
            pending_msgs_limit=_UNBOUNDED,
            pending_bytes_limit=_UNBOUNDED,
        )
        if generation != self._generation:  # meanwhile closed, or on a newer connection
            await _leave_inbox(inbox)
            return
        self._inbox = inbox
        await self._make_consumer(client, name)

    def check(self) -> None:
        """Replace the consumer when neither message nor heartbeat came."""
        if time.perf_counter() - self._heard_s > _SILENCE_S:
            self._replace("is silent")

    async def _make_consumer(self, client: Client, inbox: str) -> None:
        start = self._resume_sequence()
        info = await client.jetstream().add_consumer(
            self._topic.name, config=_consumer_config(inbox, start)
        )
        reached = info.delivered.stream_seq + 1 if info.delivered else start
        if reached < start:
            _log.warning("topic %s ends at %d, before our %d", self._topic.name, reached, start)

    def _resume_sequence(self) -> int:
        if not self._recent:
            return self._next
        now = time.monotonic()  # their age counts anew: writers have yet to send theirs again
        for message_id, recent in self._recent.items():
            self._recent[message_id] = recent._replace(at_s=now)
        return min(self._next, *(recent.sequence for recent in self._recent.values()))

    def _replace(self, reason: str) -> None:
        # In a task of its own: leaving an inbox cancels the task that runs its callback.
        _log.info("topic %s: consumer %s; from %d on", self._topic.name, reason, self._next)
        self._heard_s = time.perf_counter()
        self._generation += 1  # what the former still delivers is void
        self._task = asyncio.ensure_future(self._resume_again())

    async def _resume_again(self) -> None:
        client = self._client
        if client is not None and client.is_connected and not self._closed:
            try:
                await self.resume(client)
            except FAILURES as error:
                _log.debug("topic %s: %s", self._topic.name, error)  # silence brings us back

    async def _on_message(self, generation: int, message: Msg) -> None:
        received_ns = time.perf_counter_ns()
        if generation != self._generation:
            return
        self._heard_s = received_ns / 1e9
        if not message.reply.startswith("$JS.ACK."):
            self._on_control(message)
            return
        sequence, delivery = _positions(message.reply)
        self._deliveries += 1
        if delivery != self._deliveries:
            self._replace("skipped a message")
        elif self._is_new(message, sequence):
            key = message.subject[len(self._topic.name) + 1 :]
            self._arrived.put(Message(self._topic.name, key, sequence, message.data, received_ns))

    def _on_control(self, message: Msg) -> None:
        headers = message.headers or {}
        last = headers.get("Nats-Last-Consumer")
        if message.reply and self._client is not None:
            self._arrived.put(_Credit(self._client, message.reply))
        elif last is not None and int(last) != self._deliveries:
            self._replace("lost a message")

    def _is_new(self, message: Msg, sequence: int) -> bool:
        known = (message.headers or {}).get("Nats-Msg-Id", "")
        if sequence < self._first or known in self._recent:
            return False
        if self._topic.synced or not known:
            return self._advance(sequence)
        self._remember(known, sequence, len(message.data))
        self._next = sequence + 1
        return True

    def _advance(self, sequence: int) -> bool:
        if sequence < self._next:
            return False
        self._next = sequence + 1
        return True

    def _remember(self, message_id: str, sequence: int, size: int) -> None:
        now = time.monotonic()
        self._recent[message_id] = _Recent(now, sequence, size)
        self._recent_bytes += size
        while self._remembers_too_much(now):
            _, oldest = self._recent.popitem(last=False)
            self._recent_bytes -= oldest.size

    def _remembers_too_much(self, now: float) -> bool:
        if len(self._recent) > _RECENT_COUNT or self._recent_bytes > _RECENT_BYTES:
            return True
        return bool(self._recent) and next(iter(self._recent.values())).at_s < now - _RECENT_S

    async def _leave(self) -> None:
        self._connection.detach(self)
        self._generation += 1
        await _leave_inbox(self._inbox)


async def _leave_inbox(inbox: Subscription | None) -> None:
    # Without a listener the server forgets the consumer. On a lost connection it has already.
    if inbox is not None:
        with contextlib.suppress(*FAILURES):
            await inbox.unsubscribe()


def _consumer_config(inbox: str, start: int) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
        ack_policy=AckPolicy.NONE,
        max_deliver=1,
        flow_control=True,
        idle_heartbeat=_HEARTBEAT_S,
        mem_storage=True,
        num_replicas=1,
    )


def _positions(reply: str) -> tuple[int, int]:
    # $JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>, or the
    # longer form with domain and account before the stream.
    parts = reply.split(".")
    at = 5 if len(parts) == 9 else 7
    return int(parts[at]), int(parts[at + 1])


async def _grant(credit: _Credit) -> None:
    if credit.client.is_connected:
        await credit.client.publish(credit.reply, b"")
