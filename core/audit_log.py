"""`<home>/audit.log`: what people ordered, one chained event per line, written before it is done.

The file is the source; the warehouse's `audit_event` is a copy that `audit.export` brings over.
Whoever appends holds the file's lock, numbers on from the last line and syncs: so the stream has
one numbering writer at a time, whichever process it is, and works with everything else down.
Number and hash of the last line stand in `<home>/witness/audit.json` too, written after the line:
a log that was cut at a line's end, emptied or replaced is refused.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core import checked_json, durable, home_version
from core.contracts.audit import AuditEvent, chained, digest
from core.credentials import write_private
from core.errors import InputError
from core.file_lock import locked

PEOPLE = "people"
_TAIL = 1 << 16
_log = logging.getLogger(__name__)


class _Witness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int
    hash: str


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
        InputError: the last line is not what was written, or lines are missing after it.
        BusyError: another process kept the lock.
        OSError: the disk takes nothing.
    """
    path = path_in(home)
    home_version.begin(home)
    with locked(home / "audit.lock"):
        previous = _last(path)
        _compare(home, previous)
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
        _witness(home, event)
    return event


def accept(home: Path) -> None:
    """Go on from the log as it is. One that cannot be gone on from is kept under another name.

    Raises:
        BusyError: another process kept the lock.
        OSError: the disk takes nothing.
    """
    with locked(home / "audit.lock"):
        try:
            _last(path_in(home))
        except InputError:
            _set_aside(path_in(home), "damaged")
        _witness_path(home).unlink(missing_ok=True)


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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"damaged ({error}); keep the file and compare it with the warehouse's copy"
        raise InputError(str(path), problem, row) from error


def _witness_path(home: Path) -> Path:
    return home / "witness" / "audit.json"


def _witness(home: Path, event: AuditEvent) -> None:
    path = _witness_path(home)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(path, checked_json.encode(_Witness(event.seq, event.hash)).decode())
    except OSError as error:  # it may lag: the line is on disk
        _log.warning("%s is behind its log: %s", path, error)


def _compare(home: Path, last: AuditEvent | None) -> None:
    """The log holds what its witness saw: nearly always as its last line."""
    path = _witness_path(home)
    if not os.path.lexists(path):
        return
    try:
        witnessed = checked_json.read(path, _Witness)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"not as it was written ({error}); {_REMEDY}") from error
    if last and witnessed.hash in (last.hash, last.previous_hash):
        return
    if all(event.hash != witnessed.hash for event in read(path_in(home))):
        ends = f"ends with event {last.seq}" if last else "is empty"
        problem = (
            f"{ends}, and event {witnessed.seq} was witnessed: it was cut or replaced; {_REMEDY}"
        )
        raise InputError(str(path_in(home)), problem)


_REMEDY = (
    "restore it from a backup or a sealed day, or go on from it as it is, which is noted:"
    " tickhouse audit accept --by WHO --reason TEXT"
)


def _last(path: Path) -> AuditEvent | None:
    """The event to go on from. What a crash left of an unfinished line is cut off."""
    if path.is_symlink():
        raise InputError(str(path), f"it is a link, and was a file; {_REMEDY}")
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
        _set_aside(path, "unchained")
        return None
    event = _decoded(lines[-1], path, None)
    if event.hash != digest(event):
        problem = "the hash of its last event does not fit; keep it, run: tickhouse audit verify"
        raise InputError(str(path), problem)
    return event


def _set_aside(path: Path, why: str) -> None:
    """A log from before there was a chain, or damaged: kept, under the hash of its content."""
    name = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    durable.rename(path, path.with_name(f"audit-{why}-{name}.log"))


def _write(path: Path, event: AuditEvent) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(event) + b"\n")
        file.flush()
        os.fsync(file.fileno())
