"""Execution's journal and outbox in memory: a backtest that dies is simply run again."""

from pathlib import Path

from core.contracts.order import OrderEvent
from execution.book import Book
from execution.journal import Journal
from execution.outbox import Outbox
from execution.records import Record

_SEGMENT = 1 << 20


class NoFile:
    """Implements execution.disk.File: always empty."""

    def read(self) -> bytes:
        """Nothing."""
        return b""

    def write(self, data: bytes, offset: int) -> None:
        """Forgotten."""

    def sync(self, *, whole: bool = False) -> None:
        """Nothing to sync."""

    def close(self) -> None:
        """Nothing to close."""


class NoDisk:
    """Implements execution.disk.Disk."""

    def open(self, path: Path) -> NoFile:
        """A file that forgets."""
        return NoFile()


def journal() -> Journal:
    """A journal that numbers and chains events as ever, and keeps no bytes."""
    return Journal(Path("memory"), _SEGMENT, NoDisk(), careful=False)


class Kept(Outbox):
    """What execution tells the others, kept instead of sent."""

    def __init__(self) -> None:
        self.events: list[OrderEvent] = []

    def add(self, record: Record, book: Book) -> None:
        """Keep an order event."""
        if isinstance(record, OrderEvent):
            self.events.append(record)

    def publish(self) -> None:
        """Nobody waits for it."""
