"""What a lease's place on a bus promises: one record per account, replaced only if it is known."""

from typing import NamedTuple, Protocol

from core.errors import TickhouseError
from core.topics import Topic

LEASES = Topic("leases", "account", synced=True)  # not of core.topics: nobody reads along


class Written(NamedTuple):
    """The record that is there, and its sequence, which grows with every replacement."""

    payload: bytes
    sequence: int


class ChangedError(TickhouseError):
    """Somebody else replaced the record meanwhile. Read it again."""


class LeasePlace(Protocol):
    """The record of one account."""

    def read(self, timeout_s: float) -> Written | None:
        """The record; None when there is none.

        Raises:
            UnavailableError: the bus stayed away.
        """
        ...

    def replace(self, payload: bytes, known: int, timeout_s: float) -> int:
        """Put a record in the place of the one with sequence `known` (0: of none); its sequence.

        Raises:
            ChangedError: another is there.
            UnavailableError: no answer; it may be there or not.
        """
        ...

    def close(self) -> None:
        """Disconnect."""
        ...
