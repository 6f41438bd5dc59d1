"""Up to which event bus and warehouse have the journal: a start publishes only what follows.

Execution may write its topic and not read it, and knows no warehouse. So the publisher notes the
last event that the bus has acknowledged (`published.json`, never synced: it may lag, and then a
little is sent twice, which is harmless), and `tickhouse up` and `prepare` leave word up to where
the warehouse has all (`stored.json`), which holds until that was made good. An event that the
journal does not have, or has otherwise, is of another journal: then all is published.
"""

import contextlib
import os
import time
from pathlib import Path

import msgspec

from core import durable
from core.contracts.order import OrderEvent

_EVERY_S = 1.0


class Mark(msgspec.Struct, frozen=True):
    """An event, by its number and hash; 0 of none."""

    seq: int = 0
    hash: str = ""


NO_EVENT = Mark()


class Delivered:
    """What is known of one journal. By the publisher's thread but for `mark`, at a start."""

    def __init__(self, journal: Path) -> None:
        self._published, self._word = journal.with_name("published.json"), word_beside(journal)
        self._reached, self._written = NO_EVENT, NO_EVENT
        self._written_s = 0.0

    def mark(self) -> Mark:
        """The last event that the bus has, and the warehouse as far as there is word of it."""
        marks = [mark for path in (self._published, self._word) if (mark := _read(path))]
        return min(marks, key=lambda mark: mark.seq, default=NO_EVENT)

    def reached(self, event: OrderEvent) -> None:
        """The bus has acknowledged all up to an event."""
        self._reached = Mark(event.seq, event.hash)
        if time.monotonic() - self._written_s >= _EVERY_S:
            self._write()
            self._written = NO_EVENT  # until it has caught up

    def caught_up(self) -> None:
        """Nothing is left to send: what the warehouse lacked was sent, too."""
        if self._reached != self._written:
            self._write()
            self._word.unlink(missing_ok=True)

    def _write(self) -> None:
        """Not synced: a sync would wait in the journal's way."""
        self._written_s = time.monotonic()
        beside = self._published.with_name(f".{self._published.name}.tmp")
        with contextlib.suppress(OSError):  # a full disk: more is sent twice
            beside.write_bytes(msgspec.json.encode(self._reached))
            os.replace(beside, self._published)
        self._written = self._reached


def word_beside(journal: Path) -> Path:
    """Where the word of the warehouse stands."""
    return journal.with_name("stored.json")


def leave_word(journal: Path, mark: Mark) -> None:
    """Say up to where the warehouse has a journal; nothing when there is no journal.

    Raises:
        OSError: the disk takes nothing.
    """
    if journal.exists():
        durable.write(word_beside(journal), msgspec.json.encode(mark))


def _read(path: Path) -> Mark | None:
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    return None
