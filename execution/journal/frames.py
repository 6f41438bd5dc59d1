"""How records stand in a journal's bytes, and how damage is told from a write that was cut short.

Each record is

    "TKJ1" | length u32 | its complement u32 | crc32 of payload u32 | payload | 0xff

in little endian; zeros follow the last one. Records appended together count together: all but
the last of them end in 0xfe, and their crc32 is inverted. A write that a crash cut short, or of
which the disk kept some sectors only, leaves zeros in the last such group: it was never synced,
so nobody acted on it, and it is wiped whole. Any other damage is refused, for execution must not
guess.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import JournalError
from execution.journal import records
from execution.journal.records import Record

MAGIC = b"TKJ1"
HEADER = struct.Struct("<4sIII")
END, _MORE = b"\xff", b"\xfe"
_OVERHEAD = HEADER.size + len(END)
_ONES = 0xFFFF_FFFF
_SECTOR = 512  # the least a disk writes at once


class Place(NamedTuple):
    """One record, and where it stands, counted over all segments of its journal."""

    number: int  # from 1
    offset: int  # bytes
    end: int  # offset of the next
    record: Record


class Extent(NamedTuple):
    """How far a journal goes."""

    end: int  # bytes
    number: int  # of the last record
    payload: bytes  # its own


class Frame(NamedTuple):
    """One record's bytes as they were found."""

    payload: bytes
    end: int
    more: bool  # records of the same append follow


def frame(payload: bytes, *, more: bool = False) -> bytes:
    """A record's bytes; `more`: others of the same append follow."""
    size, checksum = len(payload), zlib.crc32(payload) ^ (_ONES if more else 0)
    header = HEADER.pack(MAGIC, size, size ^ _ONES, checksum)
    return header + payload + (_MORE if more else END)


def frame_at(content: bytes, offset: int) -> Frame | None:
    """The whole record at an offset, or None."""
    if offset + _OVERHEAD > len(content):
        return None
    magic, size, complement, checksum = HEADER.unpack_from(content, offset)
    begin, end = offset + HEADER.size, offset + HEADER.size + size
    mark = content[end : end + 1]
    if magic != MAGIC or size ^ complement != _ONES or mark not in (END, _MORE):
        return None
    payload, more = content[begin:end], mark == _MORE
    if zlib.crc32(payload) ^ (_ONES if more else 0) != checksum:
        return None
    return Frame(payload, end + 1, more)


def scan(content: bytes, path: Path, records_before: int = 0, base: int = 0) -> Iterator[Place]:
    """The records in a file's bytes, without their chain.

    Args:
        path: for messages, which count bytes from its beginning.
        records_before: records in the segments before this one.
        base: bytes in the segments before this one.

    Raises:
        JournalError: damaged other than by a cut-off write.
    """
    number, offset = records_before + 1, 0
    group: list[Place] = []
    while (whole := frame_at(content, offset)) is not None:
        try:
            record = records.decode(whole.payload)
        except msgspec.DecodeError as error:
            raise _damaged(path, number, offset, f"of another version ({error})") from error
        group.append(Place(number, base + offset, base + whole.end, record))
        number, offset = number + 1, whole.end
        if not whole.more:
            yield from group
            group.clear()
    if not _cut_off(content, offset):
        raise _damaged(path, number, offset, "checksum differs")


def _cut_off(content: bytes, offset: int) -> bool:
    """Whether all from `offset` on is zeros, or one last append that did not come to its end."""
    tail = content[offset:]  # of bytes: before Python 3.11.4 a map's `find` reads beyond its end
    end = offset + len(tail.rstrip(b"\0"))
    if end == offset:
        return True
    place = offset + tail.find(MAGIC, 1)
    while place > offset:
        whole = frame_at(content, place)
        if whole and not whole.more and whole.end < end:
            return False  # a later append follows: this one was synced before it was written
        if whole and place % _SECTOR and content[place - 1 : place] != _MORE:
            return False  # it begins an append, or its own sector came without what precedes it
        place = offset + tail.find(MAGIC, (whole.end if whole else place + 1) - offset)
    return _lacks_sector(content, offset, end) or _lacks_end(content, offset, end)


def _lacks_sector(content: bytes, begin: int, end: int) -> bool:
    """Whether a sector, or what falls on it of these bytes, was never written."""
    cuts = [begin, *range(begin // _SECTOR * _SECTOR + _SECTOR, end, _SECTOR), end]
    return any(not any(content[a:b]) for a, b in pairwise(cuts))


def _lacks_end(content: bytes, offset: int, end: int) -> bool:
    """Whether the bytes stop before the record at an offset does."""
    if end - offset < HEADER.size:
        return True
    _, size, complement, _ = HEADER.unpack_from(content, offset)
    return bool(size ^ complement == _ONES and offset + _OVERHEAD + size > end)


def _damaged(path: Path, number: int, offset: int, problem: str) -> JournalError:
    return JournalError(
        f"{path}, record {number} at byte {offset}: damaged ({problem}). Nothing was sent or"
        " changed; restore the file from a backup and compare it with the account's history"
    )
