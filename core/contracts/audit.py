"""What people and the product did besides trading: one event of an audit stream.

An event's hash is BLAKE2b-256 over its JSON with an empty `hash`; those bytes contain `seq` and
the hash of the event before. Anybody can check a line of the log with no code of ours.
"""

import hashlib

import msgspec
from msgspec.structs import replace


class AuditEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event; field names are the columns of `audit_event`. `detail` is JSON."""

    stream: str
    seq: int  # within the stream, from 1 without gaps
    ts_event_us: int
    ts_init_us: int
    run_id: str  # "" when it concerns none
    mode: str
    actor: str
    action: str
    subject: str  # what it was done to
    reason: str
    detail: str
    previous_hash: str = ""
    hash: str = ""


def digest(event: AuditEvent) -> str:
    """What the event's hash must be."""
    return hashlib.blake2b(msgspec.json.encode(replace(event, hash="")), digest_size=32).hexdigest()


def chained(event: AuditEvent, previous: AuditEvent | None) -> AuditEvent:
    """The event with its number and both hashes."""
    seq, before = (previous.seq + 1, previous.hash) if previous else (1, "")
    linked = replace(event, seq=seq, previous_hash=before, hash="")
    return replace(linked, hash=digest(linked))
