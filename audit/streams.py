"""The two kinds of audited stream as one: order events of a journal, and what people did.

Reports know how an event's hash is made, and make it themselves: a verifier that shared code with
the writer would share its mistakes.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from core import audit_log
from core.contracts import audit, codec
from core.contracts.audit import AuditEvent
from core.contracts.order import OrderEvent

Event = OrderEvent | AuditEvent


class Placed(NamedTuple):
    """An event and the bytes of the file it stands in (0, 0: a line of the log)."""

    event: Event
    begin: int
    end: int


def no_bytes(begin: int, end: int) -> Iterator[bytes]:
    """Of a stream whose events are lines, and are counted by them."""
    return iter(())


class EventStream(NamedTuple):
    """One audited stream. `events` reads what ends after a byte of its source, unchecked."""

    name: str  # "people", or "orders <account or run>"
    path: Path
    events: Callable[[int], Iterator[Placed]]
    pieces: Callable[[int, int], Iterator[bytes]] = no_bytes  # the source's bytes


def digest(event: Event) -> str:
    """What the event's own hash must be."""
    if isinstance(event, AuditEvent):
        return audit.digest(event)
    body = codec.encode(replace(event, hash=""))
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def people_stream(home: Path) -> EventStream:
    """The stream of what people ordered."""
    path = audit_log.path_in(home)
    return EventStream(
        audit_log.PEOPLE, path, lambda _: (Placed(e, 0, 0) for e in audit_log.read(path))
    )


class Linked(Protocol):
    """The end of a chain."""

    @property
    def seq(self) -> int: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102


def problem_in_chain(event: Event, previous: Linked | None) -> str:
    """How an event fails to continue its chain; "" when it does."""
    seq, before = (previous.seq, previous.hash) if previous else (0, "")
    if event.seq != seq + 1:
        return f"event number {event.seq} follows {seq}"
    if event.previous_hash != before:
        return "the hash of the event before it differs"
    if event.hash != digest(event):
        return "its own hash does not fit its content"
    return ""
