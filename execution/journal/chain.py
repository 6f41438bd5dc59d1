"""Numbers and chains order events, so that a change, gap or swap in the past is seen.

An event's hash is BLAKE2b-256 over its MessagePack bytes with an empty `hash`; those bytes
contain `seq` and the hash of the event before, and the session when there is one.
"""

import hashlib

import msgspec
from msgspec.structs import replace

from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution.journal import records

_STR_64 = b"\xd9\x40"  # MessagePack: a string of 64 bytes follows


class Chain:
    """The end of the chain: the last number and hash.

    `session_id`: stands in every event that is linked here.
    """

    def __init__(self, session_id: str = "") -> None:
        self.seq, self.hash, self._session_id = 0, "", session_id
        self._tail = msgspec.msgpack.encode(session_id) if session_id else b""

    def link(self, event: OrderEvent) -> tuple[OrderEvent, bytes]:
        """The event with its number and both hashes, and its bytes."""
        numbered = replace(
            event, seq=self.seq + 1, previous_hash=self.hash, hash="", session_id=self._session_id
        )
        body = records.encode(numbered)
        self.seq, self.hash = numbered.seq, _digest(body)
        # What follows `hash` is the session; its own empty string is the byte before that.
        head = body[: len(body) - len(self._tail) - 1]
        linked = replace(numbered, hash=self.hash)
        return linked, head + _STR_64 + self.hash.encode() + self._tail

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
        elif event.hash != _digest(records.encode(replace(event, hash=""))):
            problem = "its own hash does not fit its content"
        if problem:
            raise JournalError(
                f"{where}: {problem}; the journal was changed or records are missing. Keep the"
                " file, restore it from a backup, or begin a new account"
            )
        self.seq, self.hash = event.seq, event.hash


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=32).hexdigest()
