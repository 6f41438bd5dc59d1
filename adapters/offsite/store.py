"""What a place for backups does, whichever it is (adapters.offsite.select)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """One backup there."""

    name: str
    size: int  # bytes


class Store(Protocol):
    """Backups by name. Whoever lists sees whole ones alone: `put` shows a name when all is there,
    or never.

    Every method raises UnavailableError when the place does not answer or is full, InputError for
    what is not there. Errors name the place, never a password.
    """

    def put(self, name: str, content: Iterable[bytes]) -> int:
        """Store a stream under a new name; bytes stored. What `content` raises is passed on."""

    def get(self, name: str) -> Iterator[bytes]:
        """The stream of a name, in blocks."""

    def listed(self) -> list[Stored]:
        """All backups, by name; other files are left out."""

    def remove(self, name: str) -> None:
        """Forget one; that it is gone already is no error."""


ENDING = ".tickhouse-backup"
RECORDS = ".tickhouse-records"  # sealed exports, which nobody thins
