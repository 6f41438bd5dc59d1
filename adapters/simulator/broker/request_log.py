"""The account's log of accepted requests: append-only, fsynced before the broker answers.

One line per record: CRC-32 in eight hex digits, a space, JSON. The account is a fold over it.
A torn last line (the process died while writing, so nobody got an answer) is cut off; damage
anywhere else stops the terminal. How far the log went is told by a file of its own, its witness,
written behind each record, so that a log that was cut, emptied or replaced stops it too.
"""

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core import durable
from core.errors import JournalError

_REMEDY = (
    "restore log and witness from a backup, or remove the witness to go on with what the log holds;"
    " execution then compares the account with its journal"
)


def witness_of(path: Path) -> Path:
    """The file that tells how far a log went."""
    return path.parent / "witness" / f"{path.name}.txt"


def beginning(path: Path) -> dict[str, Any]:
    """The first record of a log, unchecked; empty where there is none that can be read."""
    try:
        with path.open("rb") as file:
            first = msgspec.json.decode(file.readline()[9:])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return first if isinstance(first, dict) else {}


class RequestLog:
    """Opens, checks and repairs the file; `header` must equal the one it was begun with.

    Args:
        once: what the first record says besides, when this begins the file.

    Attributes:
        began: what the first record says besides; a log of a version before may say less.

    Raises:
        JournalError: a damaged record that is not the last, fewer or others than the witness tells,
            another header, or a link in its place.
    """

    def __init__(
        self, path: Path, header: dict[str, Any], once: dict[str, Any] | None = None
    ) -> None:
        self.path, self._witness = path, witness_of(path)
        self._witness.parent.mkdir(parents=True, exist_ok=True)
        for own in (path, self._witness):
            if own.is_symlink():
                raise JournalError(f"{own} is a link: put the account's own file there instead")
        self._count = self._sum = self._good = 0
        self._records = list(self._checked(self._witnessed()))
        first, once = self._records[0] if self._records else {}, once or {}
        known = {name: value for name, value in first.items() if name not in once}
        self.began = {n: first[n] for n in once if n in first} if self._records else once
        if self._records and known != msgspec.json.decode(msgspec.json.encode(header)):
            raise JournalError(
                f"{path}, record 1: this account began with other settings than {header};"
                " restore them, or begin a new account with another log"
            )
        if path.exists() and path.stat().st_size > self._good:
            os.truncate(path, self._good)
        self._file = path.open("ab", buffering=0)
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._behind = os.open(self._witness, flags, 0o600)
        self._tell()
        if not self._records:
            self.append({**header, **once})
            durable.sync_directory(path.parent)
        del self._records[:1]

    def records(self) -> list[dict[str, Any]]:
        """Records found at opening, oldest first, without the header."""
        return self._records

    def append(self, record: dict[str, Any]) -> None:
        """Write one record; on disk when this returns.

        Raises:
            JournalError: the disk is full or broken; nothing of the record is in the log.
        """
        body = msgspec.json.encode(record)
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        try:
            self._cut()  # what a full disk took of a record, and could not be cut off then
            self._write(line)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._cut()
            raise JournalError(f"{self.path}: {error}; free some space there") from error
        self._good += len(line)
        self._add(body)
        self._tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        os.close(self._behind)

    def _cut(self) -> None:
        """Leave nothing behind the last whole record."""
        if os.fstat(self._file.fileno()).st_size > self._good:
            self._file.truncate(self._good)

    def _write(self, line: bytes) -> None:
        """All of it: what a nearly full disk takes of a line is no error by itself."""
        while line:
            line = line[self._file.write(line) :]
        getattr(os, "fdatasync", os.fsync)(self._file.fileno())

    def _add(self, body: bytes) -> None:
        self._count, self._sum = self._count + 1, zlib.crc32(body, self._sum)

    def _tell(self) -> None:
        """Not synced: after a power cut it may tell of less than there is, and never of more.

        A disk that takes nothing keeps it behind: the record is on disk, and stands.
        """
        with contextlib.suppress(OSError):
            os.lseek(self._behind, 0, os.SEEK_SET)
            os.write(self._behind, b"%010d %08x\n" % (self._count, self._sum))

    def _witnessed(self) -> tuple[int, int]:
        """Records and their sum; none without a witness, or one that a power cut left empty."""
        try:
            text = self._witness.read_bytes()
            return (int(text[:10]), int(text[11:19], 16)) if text else (0, 0)
        except FileNotFoundError:
            return 0, 0
        except ValueError as error:
            raise JournalError(f"{self._witness} is damaged: {_REMEDY}") from error

    def _checked(self, witnessed: tuple[int, int]) -> Iterator[dict[str, Any]]:
        agrees = witnessed == (0, 0)
        for record in self._read():
            agrees = agrees or witnessed == (self._count, self._sum)
            yield record
        if not agrees:
            raise JournalError(
                f"{self.path} holds other records than the {witnessed[0]} that "
                f"{self._witness} tells of: {_REMEDY}"
            )

    def _read(self) -> Iterator[dict[str, Any]]:
        content = self.path.read_bytes() if self.path.exists() else b""
        lines = content.split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            body = line[9:]
            if line[:9] != b"%08x " % zlib.crc32(body):
                if number < len(lines) - 1:
                    raise JournalError(
                        f"{self.path}, record {number}: damaged (checksum differs); restore the"
                        " file from a backup, or begin a new account with another log"
                    )
                break
            self._good += len(line) + 1
            self._add(body)
            yield msgspec.json.decode(body)
