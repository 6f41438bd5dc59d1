"""Up to which event bus and warehouse have the journal: a start publishes only what follows.

The bus is asked: its newest message of the account names an event, and what is delivered is
delivered in order. The warehouse is not within execution's reach, so `tickhouse up`, `prepare` and
`restore` leave word of it, `stored.json` beside the journal; it holds for one start. An event that
the journal does not have, or has otherwise, is of another journal: then all is published.
"""

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from adapters.bus.base import Bus, Message
from core import durable
from core.contracts import codec
from core.contracts.order import OrderEvent
from core.errors import MessageError
from core.sections import RunSettings
from core.topics import ORDER_EVENTS

_BACK = 1_000  # messages looked through for an event: positions and accounts stand between
_WAIT_S = 1.0


class Mark(msgspec.Struct, frozen=True):
    """An event, by its number and hash; 0 of none."""

    seq: int = 0
    hash: str = ""


NO_EVENT = Mark()


def on_bus(bus: Bus, run: RunSettings) -> Mark:
    """The last event of the run's account that is on the bus.

    Raises:
        UnavailableError: the bus does not answer.
    """
    newest = bus.last(ORDER_EVENTS, run.account)
    if newest is None:
        return NO_EVENT
    event = _event(newest, run)
    return Mark(event.seq, event.hash) if event else _before(bus, newest, run)


def to_both(bus: Bus, run: RunSettings, journal: Path) -> Mark:
    """The last event that is on the bus, and in the warehouse as far as there is word of it.

    Raises:
        UnavailableError: the bus does not answer.
    """
    mark, word = on_bus(bus, run), in_warehouse(journal)
    return word if word is not None and word.seq < mark.seq else mark


def _before(bus: Bus, newest: Message, run: RunSettings) -> Mark:
    """The last event among the messages that end with the newest."""
    if bus.partitions(ORDER_EVENTS) > 1:
        return NO_EVENT
    reader, mark = bus.subscribe(ORDER_EVENTS, max(newest.sequence - _BACK, 1)), NO_EVENT
    try:
        while (message := reader.next(_WAIT_S)) is not None:
            if event := _event(message, run):
                mark = Mark(event.seq, event.hash)
            if message.sequence >= newest.sequence:
                break
    finally:
        reader.close()
    return mark


def _event(message: Message, run: RunSettings) -> OrderEvent | None:
    try:
        content: Any = codec.decode(message.topic, message.payload)
    except MessageError:
        return None
    ours = isinstance(content, OrderEvent) and content.account == run.account
    return content if ours and content.mode == run.mode else None


def path_beside(journal: Path) -> Path:
    """Where the word of the warehouse stands."""
    return journal.with_name("stored.json")


def leave_word(journal: Path, mark: Mark) -> None:
    """Say up to where the warehouse has a journal; nothing when there is no journal.

    Raises:
        OSError: the disk takes nothing.
    """
    if journal.exists():
        durable.write(path_beside(journal), msgspec.json.encode(mark))


def in_warehouse(journal: Path) -> Mark | None:
    """The word that was left; None when none was, or it cannot be read."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path_beside(journal).read_bytes(), type=Mark)
    return None


def forget_word(journal: Path) -> None:
    """It held for one start: the bus has, or is given, what the warehouse lacked."""
    path_beside(journal).unlink(missing_ok=True)
