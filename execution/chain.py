"""Numbers and chains order events, so that a change, gap or swap in the past is seen.

An event's hash is BLAKE2b-256 over its MessagePack bytes with an empty `hash`; those bytes
contain `seq` and the hash of the event before.
"""

import hashlib

from msgspec.structs import replace

from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution import records


class Chain:
    """The end of the chain: the last number and hash."""

    def __init__(self) -> None:
        self.seq, self.hash = 0, ""

    def link(self, event: OrderEvent) -> OrderEvent:
        """The event with its number and both hashes."""
        numbered = replace(event, seq=self.seq + 1, previous_hash=self.hash, hash="")
        linked = replace(numbered, hash=_digest(numbered))
        self.seq, self.hash = linked.seq, linked.hash
        return linked

    def follow(self, event: OrderEvent, where: str) -> None:
        """Take over an event that was read.

        Raises:
            JournalError: it does not continue the chain; `where` names file and record.
        """
        problem = ""
        if event.seq != self.seq + 1:
            problem = f"event number {event.seq} follows {self.seq}"
        elif event.previous_hash != self.hash:
            problem = "the hash of the event before it differs"
        elif event.hash != _digest(replace(event, hash="")):
            problem = "its own hash does not fit its content"
        if problem:
            raise JournalError(
                f"{where}: {problem}; the journal was changed or records are missing. Keep the"
                " file, restore it from a backup, or begin a new account"
            )
        self.seq, self.hash = event.seq, event.hash


def _digest(event: OrderEvent) -> str:
    return hashlib.blake2b(records.encode(event), digest_size=32).hexdigest()
