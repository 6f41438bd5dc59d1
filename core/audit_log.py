"""`<home>/audit.log`: what people ordered, one chained event per line, written before it is done.

The file is the source; the warehouse's `audit_event` is a copy that `audit.export` brings over.
Whoever appends holds the file's lock, numbers on from the last line and syncs: so the stream has
one numbering writer at a time, whichever process it is, and works with everything else down.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core import durable
from core.contracts.audit import AuditEvent, chained, digest
from core.errors import InputError
from core.file_lock import locked

PEOPLE = "people"
_TAIL = 1 << 16


class AuditLine(msgspec.Struct, frozen=True):
    """What a caller knows. `authenticated`: `by` gave a password; `detail` is for people."""

    ts_us: int
    by: str
    authenticated: bool
    action: str
    detail: str
    subject: str = ""
    reason: str = ""
    payload: Mapping[str, Any] = {}


def path_in(home: Path) -> Path:
    """Where a home's log stands."""
    return home / "audit.log"


def append(home: Path, line: AuditLine, run_id: str = "", mode: str = "") -> AuditEvent:
    """Number, chain and append a line; on disk when this returns.

    Raises:
        InputError: the last line is not what was written.
        BusyError: another process kept the lock.
        OSError: the disk takes nothing.
    """
    path = path_in(home)
    with locked(home / "audit.lock"):
        previous = _last(path)
        detail = {"text": line.detail, "authenticated": line.authenticated, **line.payload}
        event = chained(
            AuditEvent(
                stream=PEOPLE, seq=0, ts_event_us=line.ts_us, ts_init_us=line.ts_us, run_id=run_id,
                mode=mode, actor=line.by, action=line.action, subject=line.subject,
                reason=line.reason, detail=msgspec.json.encode(detail).decode(),
            ),
            previous,
        )  # fmt: skip
        _write(path, event)
    return event


def read(path: Path) -> Iterator[AuditEvent]:
    """The events of a log as they stand, unchecked, oldest first; a torn last line is no event.

    Raises:
        InputError: a line is not an event.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for row, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield _decoded(line, path, row)


def _decoded(line: bytes, path: Path, row: int | None) -> AuditEvent:
    try:
        return msgspec.json.decode(line, type=AuditEvent)
    except msgspec.DecodeError as error:
        problem = f"damaged ({error}); keep the file and compare it with the warehouse's copy"
        raise InputError(str(path), problem, row) from error


def _last(path: Path) -> AuditEvent | None:
    """The event to go on from. What a crash left of an unfinished line is cut off."""
    if not path.exists():
        return None
    with path.open("r+b") as file:
        size, span = file.seek(0, os.SEEK_END), _TAIL
        while True:
            file.seek(max(0, size - span))
            tail = file.read()
            if tail.count(b"\n") > 1 or span >= size:
                break
            span *= 2
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            file.truncate(size - len(tail) + whole)
    lines = tail[:whole].splitlines()
    if not lines:
        return None
    if b'"seq":' not in lines[-1]:
        _set_aside(path)
        return None
    event = _decoded(lines[-1], path, None)
    if event.hash != digest(event):
        problem = "the hash of its last event does not fit; keep it, run: tickhouse audit verify"
        raise InputError(str(path), problem)
    return event


def _set_aside(path: Path) -> None:
    """A log from before there was a chain: it is kept, under the hash of its content."""
    name = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    durable.rename(path, path.with_name(f"audit-unchained-{name}.log"))


def _write(path: Path, event: AuditEvent) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(event) + b"\n")
        file.flush()
        os.fsync(file.fileno())
