"""Execution's journal and outbox in memory: a backtest that dies is simply run again."""

from pathlib import Path

from adapters.bus.base import Message
from core.contracts import codec
from core.contracts.firm import FirmRecord
from core.contracts.operations import RiskState
from core.contracts.order import AccountState, ExecutionMarker, OrderEvent, PositionState
from core.sections import RunSettings
from core.topics import Topic
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.outbox import Outbox, posts
from execution.journal.records import Record

_SEGMENT = 1 << 20


class NoFile:
    """Implements execution.journal.disk.File: always empty."""

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
    """Implements execution.journal.disk.Disk."""

    def open(self, path: Path) -> NoFile:
        """A file that forgets."""
        return NoFile()

    def names(self, path: Path) -> list[str]:
        """A journal of one segment."""
        return [path.name]

    def content(self, path: Path) -> bytes:
        """Nothing."""
        return b""

    def remove(self, path: Path) -> None:
        """Nothing to remove."""


def journal() -> Journal:
    """A journal that numbers and chains events as ever, and keeps no bytes."""
    return Journal(Path("memory"), _SEGMENT, NoDisk(), careful=False)


class RiskLog:
    """Implements Publisher: keeps the risk states that breakers tell, and nothing else."""

    def __init__(self) -> None:
        self._states: list[RiskState] = []

    @property
    def trips(self) -> tuple[RiskState, ...]:
        """What was told so far."""
        return tuple(self._states)

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        """Keep it at once."""
        self.send(topic, key, payload, message_id)
        return len(self._states)

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Keep it."""
        content = codec.decode(topic.name, payload)
        if isinstance(content, RiskState):
            self._states.append(content)

    def flush(self, timeout_s: float = 60.0) -> None:
        """Nothing is on the way."""

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        """Nothing can be read back."""
        return None

    def close(self) -> None:
        """Nothing to close."""


class EventLog(Outbox):
    """What execution tells the others, kept instead of sent."""

    def __init__(self, run: RunSettings) -> None:
        self._of = run
        self.events: list[OrderEvent] = []
        self.firm: FirmRecord | None = None  # the newest
        self._changes: list[AccountState | PositionState | ExecutionMarker] = []

    def add(self, record: Record, book: Book) -> None:
        """Keep an order event, or how the account stands under its firm's rules."""
        if isinstance(record, FirmRecord):
            self.firm = record
            return
        for message, _ in posts(record, book, self._of):
            if isinstance(message, OrderEvent):
                self.events.append(message)
            elif isinstance(message, AccountState | PositionState | ExecutionMarker):
                self._changes.append(message)

    def changes(self) -> list[AccountState | PositionState | ExecutionMarker]:
        """What figures of risk follow from, since the last time."""
        changes, self._changes = self._changes, []
        return changes

    def publish(self) -> None:
        """Nobody waits for it."""
