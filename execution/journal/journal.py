"""The order journal: append-only, durable before anything is sent.

A file of zeros is allocated ahead, so that a write changes no file size and one `fdatasync`
costs no metadata. Each record is

    "TKJ1" | length u32 | its complement u32 | crc32 of payload u32 | payload | 0xff

in little endian; zeros follow the last one. Records appended together count together: all but
the last of them end in 0xfe, and their crc32 is inverted. A write that a crash cut short, or of
which the disk kept some sectors only, leaves zeros in the last such group: it was never synced,
so nobody acted on it, and it is wiped whole. Any other damage is refused, for execution must not
guess.
"""

import errno
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution.journal import records, witness
from execution.journal.chain import Chain
from execution.journal.disk import MACHINE, Disk
from execution.journal.records import Record
from execution.journal.witness import Witnessed

MAGIC = b"TKJ1"
SEGMENT = 16 * 1024 * 1024
_HEADER = struct.Struct("<4sIII")
_END, _MORE = b"\xff", b"\xfe"
_OVERHEAD = _HEADER.size + len(_END)
_ONES = 0xFFFF_FFFF
_SECTOR = 512  # the least a disk writes at once


class Place(NamedTuple):
    """One record, and where it stands."""

    number: int  # from 1
    offset: int  # bytes
    end: int  # offset of the next
    record: Record


class Extent(NamedTuple):
    """How far a journal goes."""

    end: int  # bytes
    number: int  # of the last record
    payload: bytes  # its own


class Journal:
    """One journal, open for appending. One writer, one thread.

    Args:
        path: made when missing; its directory too.
        careful: never have two appends unsynced: a power loss that keeps the second and loses
            the first would look like damage. A replay, which can be run again, does without.
        witnessed: what it must contain (execution.journal.witness).
        session_id: stands in the events that are appended.

    Attributes:
        synced: how far it is on disk; replaced as a whole, for other threads to read.

    Raises:
        JournalError: damaged other than by a cut-off write, shorter than witnessed, or in use.
    """

    def __init__(
        self, path: Path, segment: int = SEGMENT, disk: Disk = MACHINE, *, careful: bool = True,
        witnessed: Witnessed | None = None, session_id: str = "",
    ) -> None:  # fmt: skip
        self.path, self._segment, self._careful = path, segment, careful
        self._chain = Chain(session_id)
        self._dirty = False
        self._unread: list[Record] = []
        self._file = disk.open(path)
        try:
            self._open(witnessed)
        except BaseException:
            self._file.close()
            raise

    def _open(self, witnessed: Witnessed | None) -> None:
        content, end = self._file.read(), 0
        self._count, self._last, met = 0, b"", witnessed is None
        for place in scan(content, self.path):
            _follow(self._chain, place, self.path)
            self._unread.append(place.record)
            end, self._count = place.end, place.number
            self._last = content[place.offset + _HEADER.size : end - len(_END)]
            met = met or witnessed is None or witnessed.is_of(end, self._last)
        if witnessed and not met:
            raise witness.refusal(self.path, end, self._count, witnessed)
        if content[end:].strip(b"\0"):  # any() would look at 16 MiB byte by byte, at each start
            self._file.write(bytes(len(content) - end), end)
        self._at, self._size = end, len(content)
        self.ensure_room(1)
        self._file.sync(whole=True)
        self.synced = Extent(end, self._count, self._last)

    def take(self) -> list[Record]:
        """The records found at opening, oldest first; once, to free their memory."""
        unread, self._unread = self._unread, []
        return unread

    def records(self) -> Iterator[Record]:
        """All records so far, oldest first, read from disk again; from any thread."""
        end = self._at
        for place in scan(self._file.read()[:end], self.path):
            yield place.record

    def append(self, entries: Iterable[Record]) -> list[Record]:
        """Write records in one piece; order events come back numbered and chained.

        They survive this process at once, and a power loss after `sync`.
        """
        linked = [self._linked(entry) for entry in entries]
        last = len(linked) - 1
        data = b"".join([_frame(p, more=n < last) for n, (_, p) in enumerate(linked)])
        if self._careful:
            self.sync()
        self.ensure_room(len(data))
        self._file.write(data, self._at)
        self._at += len(data)
        if linked:
            self._dirty, self._last = True, linked[-1][1]
            self._count += len(linked)
        return [entry for entry, _ in linked]

    def _linked(self, entry: Record) -> tuple[Record, bytes]:
        if isinstance(entry, OrderEvent):
            return self._chain.link(entry)
        return entry, records.encode(entry)

    def sync(self) -> None:
        """On disk when this returns. Costs nothing when nothing was appended."""
        if self._dirty:
            self._file.sync()
            self._dirty = False
            self.synced = Extent(self._at, self._count, self._last)

    def ensure_room(self, count: int) -> None:
        """Allocate zeros ahead when fewer than `count` bytes are left; call it when idle too.

        Raises:
            JournalError: the disk is full.
        """
        while self._at + count > self._size:
            try:
                self._file.write(bytes(self._segment), self._size)
                self._file.sync(whole=True)
            except OSError as error:
                raise self._full(error) from error
            self._size += self._segment

    def _full(self, error: OSError) -> Exception:
        """What cannot be recorded is not sent: on a full disk this process ends, and says why."""
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return error
        return JournalError(
            f"{self.path}: the disk is full and what was kept for exits is used up, so nothing more"
            " can be recorded and nothing is sent; open positions keep their stops. Free space on"
            " it: execution is started again and goes on"
        )

    @property
    def room(self) -> int:
        """Bytes allocated and not used: so much can be journalled on a disk that is full."""
        return self._size - self._at

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        self._file.close()


def read(path: Path) -> Iterator[Place]:
    """The records of a journal that may be in use, checked, oldest first.

    Raises:
        JournalError: damaged other than by a cut-off write.
    """
    chain = Chain()
    for place in scan(path.read_bytes(), path):
        _follow(chain, place, path)
        yield place


def events(path: Path) -> Iterator[OrderEvent]:
    """The order events of a journal, oldest first; see `read`."""
    for place in read(path):
        if isinstance(place.record, OrderEvent):
            yield place.record


class _Frame(NamedTuple):
    payload: bytes
    end: int
    more: bool  # records of the same append follow


def _frame(payload: bytes, *, more: bool = False) -> bytes:
    size, checksum = len(payload), zlib.crc32(payload) ^ (_ONES if more else 0)
    header = _HEADER.pack(MAGIC, size, size ^ _ONES, checksum)
    return header + payload + (_MORE if more else _END)


def _frame_at(content: bytes, offset: int) -> _Frame | None:
    """The whole record at an offset, or None."""
    if offset + _OVERHEAD > len(content):
        return None
    magic, size, complement, checksum = _HEADER.unpack_from(content, offset)
    begin, end = offset + _HEADER.size, offset + _HEADER.size + size
    mark = content[end : end + 1]
    if magic != MAGIC or size ^ complement != _ONES or mark not in (_END, _MORE):
        return None
    payload, more = content[begin:end], mark == _MORE
    if zlib.crc32(payload) ^ (_ONES if more else 0) != checksum:
        return None
    return _Frame(payload, end + 1, more)


def scan(content: bytes, path: Path) -> Iterator[Place]:
    """The records in a journal's bytes, without their chain; `path` is for messages."""
    number, offset = 1, 0
    group: list[Place] = []
    while (frame := _frame_at(content, offset)) is not None:
        try:
            record = records.decode(frame.payload)
        except msgspec.DecodeError as error:
            raise _damaged(path, number, offset, f"of another version ({error})") from error
        group.append(Place(number, offset, frame.end, record))
        number, offset = number + 1, frame.end
        if not frame.more:
            yield from group
            group.clear()
    if not _cut_off(content, offset):
        raise _damaged(path, number, offset, "checksum differs")


def _cut_off(content: bytes, offset: int) -> bool:
    """Whether all from `offset` on is zeros, or one last append that did not come to its end."""
    rest = content[offset:].rstrip(b"\0")
    if not rest:
        return True
    end = offset + len(rest)
    place = content.find(MAGIC, offset + 1)
    while place >= 0:
        frame = _frame_at(content, place)
        if frame and not frame.more and frame.end < end:
            return False  # a later append follows: this one was synced before it was written
        if frame and place % _SECTOR and content[place - 1 : place] != _MORE:
            return False  # it begins an append, or its own sector came without what precedes it
        place = content.find(MAGIC, frame.end if frame else place + 1)
    return _lacks_sector(content, offset, end) or _lacks_end(content, offset, end)


def _lacks_sector(content: bytes, begin: int, end: int) -> bool:
    """Whether a sector, or what falls on it of these bytes, was never written."""
    cuts = [begin, *range(begin // _SECTOR * _SECTOR + _SECTOR, end, _SECTOR), end]
    return any(not any(content[a:b]) for a, b in pairwise(cuts))


def _lacks_end(content: bytes, offset: int, end: int) -> bool:
    """Whether the bytes stop before the record at an offset does."""
    if end - offset < _HEADER.size:
        return True
    _, size, complement, _ = _HEADER.unpack_from(content, offset)
    return bool(size ^ complement == _ONES and offset + _OVERHEAD + size > end)


def _follow(chain: Chain, place: Place, path: Path) -> None:
    if isinstance(place.record, OrderEvent):
        chain.follow(place.record, f"{path}, record {place.number} at byte {place.offset}")


def _damaged(path: Path, number: int, offset: int, problem: str) -> JournalError:
    return JournalError(
        f"{path}, record {number} at byte {offset}: damaged ({problem}). Nothing was sent or"
        " changed; restore the file from a backup and compare it with the account's history"
    )
