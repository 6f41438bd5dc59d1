"""The files of one journal: `journal`, then `journal.000002` and on, each sealed by the next one.

The first record of a segment says how far the journal went before it, with a digest of the segment
before. That digest covers the first record there, and so every segment covers all before it. There
is no other seal: a segment is sealed when the next one has begun, and a file whose first record is
not whole was prepared and never begun.
"""

import hashlib
import mmap
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution.journal.chain import Chain
from execution.journal.frames import END, HEADER, Place, scan
from execution.journal.records import SegmentBegun

_PIECE = 1 << 20
NOTHING = SegmentBegun(0, 0, 0, 0, "", "")
_RESTORE = (
    "Nothing was sent or changed. Bring all files of the journal back from one backup; or compare"
    " the terminal's history with order_event, settle what is open, and begin a new account"
)


def path_of(journal: Path, number: int) -> Path:
    """The file of a segment, from 1."""
    return journal if number == 1 else journal.with_name(f"{journal.name}.{number:06d}")


def count_in(journal: Path, names: list[str]) -> int:
    """How many segments there are among the names of a folder.

    Raises:
        JournalError: one is missing among them.
    """
    numbered = re.compile(re.escape(journal.name) + r"\.(\d{6})")
    numbers = {int(match[1]) for name in names if (match := numbered.fullmatch(name))}
    numbers |= {1} if journal.name in names else set()
    count = max(numbers, default=0)
    for number in range(1, count + 1):
        if number not in numbers:
            raise JournalError(
                f"{path_of(journal, number)} is missing, and the journal goes on to segment"
                f" {count}: what was ordered in it is not known. {_RESTORE}"
            )
    return count


def count(journal: Path) -> int:
    """How many segments a journal has; 0 when there is none.

    Raises:
        JournalError: one is missing among them.
    """
    if not journal.parent.is_dir():
        return 0
    return count_in(journal, [path.name for path in journal.parent.glob(journal.name + "*")])


class Walk:
    """The records of a journal, oldest first, each segment held against the one before it.

    Args:
        content_of: the bytes of a segment.
        since: read what follows this.
        chained: whether the chain of events is held, too.

    Attributes:
        end: when it is over, how far the journal went.
        begin: where the last segment begins, bytes of those before it.
        digest: of the last segment's bytes, to go on with.
        payload: of the last record.
        sealed: the end of the segment before the last one.
    """

    def __init__(
        self, path: Path, content_of: Callable[[int], bytes], count: int,
        since: SegmentBegun = NOTHING, *, chained: bool = True,
    ) -> None:  # fmt: skip
        self._path, self._content_of, self._count = path, content_of, count
        self.end, self.begin, self.payload = since, since.offset, b""
        self.sealed, self._content = since, b""
        self.digest = hashlib.blake2b(digest_size=32)
        self._chain, self._chained, self._file = Chain(), chained, path
        self._chain.seq, self._chain.hash = since.seq, since.hash

    def __iter__(self) -> Iterator[Place]:
        """Read on.

        Raises:
            JournalError: damaged other than by a cut-off write, or a segment does not follow.
        """
        for number in range(self.end.segment + 1, self._count + 1):
            content = self._content = self._content_of(number)
            self._file = path_of(self._path, number)
            newest: Place | None = None
            for place in self._records(content):
                self._follow(place, number, first=newest is None)
                yield place
                newest = place
            if newest is None and number > 1:
                if number < self._count:
                    raise torn(self._path, number)
                return  # prepared, and never begun
            self._sealed(content, number, newest)

    def _records(self, content: bytes) -> Iterator[Place]:
        return scan(content, self._file, self.end.records, self.end.offset)

    def _follow(self, place: Place, number: int, *, first: bool) -> None:
        record = place.record
        if number > 1 and first and record != self.end:
            raise torn(self._path, number)
        if not isinstance(record, OrderEvent):
            return
        if self._chained:
            where = f"{self._file}, record {place.number} at byte {place.offset}"
            self._chain.follow(record, where)
        else:
            self._chain.seq, self._chain.hash = record.seq, record.hash

    def payload_of(self, place: Place) -> bytes:
        """The bytes of a record of the segment at hand."""
        begin = self.end.offset
        return self._content[place.offset - begin + HEADER.size : place.end - begin - len(END)]

    def _sealed(self, content: bytes, number: int, newest: Place | None) -> None:
        """Note how far the journal went with this segment."""
        self.begin, end, records = self.end.offset, self.end.offset, self.end.records
        if newest is not None:
            end, records, self.payload = newest.end, newest.number, self.payload_of(newest)
        self.sealed = self.end
        self.digest = hashlib.blake2b(digest_size=32)
        with memoryview(content) as whole, whole[: end - self.begin] as used:
            self.digest.update(used)
        self.end = SegmentBegun(
            number, end, records, self._chain.seq, self._chain.hash, self.digest.hexdigest()
        )


def mapped(path: Path) -> bytes:
    """A file's bytes without memory of their own: what reads a journal may be a small machine."""
    with path.open("rb") as file:
        file.seek(0, 2)
        if not file.tell():
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # type: ignore[return-value]


def walk(journal: Path, since: SegmentBegun = NOTHING, *, chained: bool = True) -> Walk:
    """The records of a journal on disk, which may be in use."""
    return Walk(
        journal, lambda number: mapped(path_of(journal, number)), count(journal), since,
        chained=chained,
    )  # fmt: skip


def begun(journal: Path, number: int) -> SegmentBegun | None:
    """The first record of a segment; None when there is none, or it is not whole."""
    path = path_of(journal, number)
    first = next(scan(mapped(path), path), None) if path.is_file() else None
    return first.record if first and isinstance(first.record, SegmentBegun) else None


def sealed(journal: Path) -> int:
    """How many segments are sealed.

    Raises:
        JournalError: one is missing.
    """
    there = count(journal)
    if there > 1 and begun(journal, there) is None:
        there -= 1  # prepared, and never begun
    return max(there - 1, 0)


def pieces(journal: Path, begin: int, end: int) -> Iterator[bytes]:
    """Bytes of a journal as if its segments were one file without what was allocated ahead."""
    last = sealed(journal) + 1
    firsts = [0, *(_offset(journal, number) for number in range(2, last + 1)), end]
    for number in range(1, last + 1):
        first, beyond = firsts[number - 1], max(firsts[number], firsts[number - 1])
        content = mapped(path_of(journal, number))
        at, until = max(begin - first, 0), min(end, beyond) - first
        for place in range(at, until, _PIECE):
            yield content[place : min(place + _PIECE, until)]


def _offset(journal: Path, number: int) -> int:
    record = begun(journal, number)
    if record is None:
        raise torn(journal, number)
    return record.offset


def torn(journal: Path, number: int) -> JournalError:
    """The error of a segment that does not follow the one before it."""
    before = path_of(journal, number - 1).name
    return JournalError(
        f"{path_of(journal, number)} does not go on where {before} ends: one of the two was"
        f" changed, shortened or put in another's place. {_RESTORE}"
    )
