"""What an earlier verification found whole, so that the next begins where the last seal ended.

A seal's end is remembered by a digest of the journal's bytes up to it and a sum over the
warehouse's rows up to it. Both are made again each time, at the speed of disk and database; only
when they differ is every event walked again, to name the first that breaks. They stand in the log
of what people ordered: chained, copied to the warehouse, sealed with the next day. Who edits the
journal reaches none of the three.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from audit.seal import Seal, SealedStream
from audit.streams import EventStream
from core import audit_log
from core.clock import Clock
from core.contracts.audit import AuditEvent

ACTION = "verify"
_AT_ONCE = 1 << 20


class Whole(msgspec.Struct, frozen=True):
    """One stream up to a seal's end, as it was when all of it agreed."""

    seq: int
    journal: str  # digest of its bytes
    rows: str  # sum over the warehouse's rows


class Begin(NamedTuple):
    """Where a walk begins: after the last event of a signed seal."""

    seq: int = 0
    hash: str = ""
    offset: int = 0  # of the journal


class Known(NamedTuple):
    """How a stream's two copies are summed up to an event."""

    stream: EventStream
    bytes_to: Callable[[int], Iterator[bytes]]
    rows_to: Callable[[int], str]


def begin(known: Known, sealed: Iterable[Seal], before: Mapping[str, Whole]) -> Begin:
    """After the last seal that was found whole, if all up to it is as it was; else at the first."""
    part, whole = last_sealed(known.stream.name, sealed), before.get(known.stream.name)
    if part is None or whole is None or whole.seq > part.last_seq:
        return Begin()
    at = next((p for p in _parts(known.stream.name, sealed) if p.last_seq == whole.seq), None)
    if at is None or _whole(known, at) != whole:
        return Begin()
    return Begin(at.last_seq, at.last_hash, at.end)


def recalled(log: Iterable[AuditEvent]) -> dict[str, Whole]:
    """What the newest verification in a log, which must be whole itself, found whole."""
    whole: dict[str, Whole] = {}
    for event in log:
        if event.action == ACTION:
            detail: Any = msgspec.json.decode(event.detail)
            whole = msgspec.convert(detail.get("whole", {}), dict[str, Whole])
    return whole


def remember(
    home: Path, by: str, known: Iterable[Known], sealed: Iterable[Seal],
    before: Mapping[str, Whole], clock: Clock,
) -> None:  # fmt: skip
    """Note what was just found whole, when a day was sealed since it was last noted."""
    parts = {one.stream.name: last_sealed(one.stream.name, sealed) for one in known}
    now = {
        one.stream.name: _whole(one, part)
        for one in known
        if (part := parts[one.stream.name]) is not None
    }
    if now and now != before:
        line = audit_log.AuditLine(
            clock.now_us(), by, False, ACTION, "journals, warehouse and seals agree",
            payload={"whole": msgspec.to_builtins(now)},
        )  # fmt: skip
        audit_log.append(home, line)


def last_sealed(stream: str, sealed: Iterable[Seal]) -> SealedStream | None:
    """The newest sealed part of a stream that has events."""
    return max(_parts(stream, sealed), key=lambda part: part.last_seq, default=None)


def _parts(stream: str, sealed: Iterable[Seal]) -> Iterator[SealedStream]:
    for seal in sealed:
        yield from (p for p in seal.root.streams if p.name == stream and p.count and p.end)


def _whole(known: Known, part: SealedStream) -> Whole:
    digest = hashlib.blake2b(digest_size=32)
    for piece in known.bytes_to(part.end):
        digest.update(piece)
    return Whole(part.last_seq, digest.hexdigest(), known.rows_to(part.last_seq))
