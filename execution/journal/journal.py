"""The order journal: append-only, durable before anything is sent.

A file of zeros is allocated ahead, so that a write changes no file size and one `fdatasync`
costs no metadata (`execution/journal/frames.py` has the records). It does not grow for ever:
`rotate`, between two orders, goes on in the next segment (`execution/journal/segments.py`).
"""

import errno
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.contracts.order import OrderEvent
from core.crashpoint import reach
from core.errors import JournalError
from execution.journal import records, segments, witness
from execution.journal.chain import Chain
from execution.journal.disk import MACHINE, Disk, File
from execution.journal.frames import Extent, Place, frame
from execution.journal.records import Record, SegmentBegun
from execution.journal.segments import NOTHING, Walk, path_of
from execution.journal.witness import Witnessed

SEGMENT = 12 * 1024 * 1024  # of which the last third is kept for exits: execution.journal.space
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Journal:
    """One journal, open for appending. One writer, one thread.

    Args:
        path: made when missing; its directory too.
        careful: never have two appends unsynced: a power loss that keeps the second and loses
            the first would look like damage. A replay, which can be run again, does without.
        witnessed: what it must contain (execution.journal.witness).
        session_id: stands in the events that are appended.
        since: the end of a segment up to which all is known (execution.journal.snapshot): what is
            before it is not read.

    Attributes:
        synced: how far it is on disk; replaced as a whole, for other threads to read.
        sealed: the end of the last segment that is sealed; likewise.

    Raises:
        JournalError: damaged other than by a cut-off write, shorter than witnessed, or in use.
    """

    def __init__(
        self, path: Path, segment: int = SEGMENT, disk: Disk = MACHINE, *, careful: bool = True,
        witnessed: Witnessed | None = None, session_id: str = "", since: SegmentBegun = NOTHING,
    ) -> None:  # fmt: skip
        self.path, self._segment, self._careful = path, segment, careful
        self._disk, self._since, self._chain = disk, since, Chain(session_id)
        self._dirty = False
        self._unread: list[Record] = []
        segments.count_in(path, disk.names(path))  # before one that is missing is made
        self._files = {1: disk.open(path)}  # the first is held for as long as we are: it locks
        try:
            self._open(witnessed)
        except BaseException:
            self._close()
            raise

    def _open(self, witnessed: Witnessed | None) -> None:
        count = segments.count_in(self.path, self._disk.names(self.path))
        walk = Walk(self.path, self._content, count, self._since)
        met = witnessed is None
        for place in walk:
            self._unread.append(place.record)
            if not met and witnessed is not None and place.end == witnessed.end:
                met = witnessed.is_of(walk.payload_of(place))
        end = walk.end
        if witnessed and not met:
            raise witness.refusal(self.path, end.offset, end.records, witnessed)
        self._number, self._base, self._count = end.segment, walk.begin, end.records
        self._chain.seq, self._chain.hash = end.seq, end.hash
        self._digest, self._last, self.sealed = walk.digest, walk.payload, walk.sealed
        self._file = self._files[self._number]
        self._at, content = end.offset - self._base, self._file.read()
        if content[self._at :].strip(b"\0"):  # any() would look at 16 MiB byte by byte
            self._file.write(bytes(len(content) - self._at), self._at)
        self._size = len(content)
        self._let_go()
        self.ensure_room(1)
        self._file.sync(whole=True)
        self.synced = Extent(end.offset, self._count, self._last)

    def _content(self, number: int) -> bytes:
        if number not in self._files:
            self._files[number] = self._disk.open(path_of(self.path, number))
        return self._files[number].read()

    def _let_go(self) -> None:
        """Keep open what is written, and the first, whose lock is the journal's."""
        for number in self._files.keys() - {1, self._number}:
            self._files.pop(number).close()

    def take(self) -> list[Record]:
        """The records found at opening, oldest first; once, to free their memory."""
        unread, self._unread = self._unread, []
        return unread

    def records(self, since: SegmentBegun = NOTHING) -> Iterator[Record]:
        """All records so far, or those after an end, read from disk again; from any thread."""
        last, at = self._number, self._at

        def content(number: int) -> bytes:
            opened = self._files.get(number)
            if number == last and opened is not None:
                return opened.read()[:at]
            return self._disk.content(path_of(self.path, number))

        for place in Walk(self.path, content, last, since, chained=False):
            yield place.record

    def append(self, entries: Iterable[Record]) -> list[Record]:
        """Write records in one piece; order events come back numbered and chained.

        They survive this process at once, and a power loss after `sync`.
        """
        linked = [self._linked(entry) for entry in entries]
        last = len(linked) - 1
        data = b"".join([frame(p, more=n < last) for n, (_, p) in enumerate(linked)])
        if self._careful:
            self.sync()
        self.ensure_room(len(data))
        self._file.write(data, self._at)
        self._digest.update(data)
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
            self.synced = Extent(self._base + self._at, self._count, self._last)

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
        if error.errno not in _FULL:
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

    def rotate(self) -> bool:
        """Seal the segment and go on in the next; False when the disk has no room for it.

        For between two orders: it takes as long as growing the file does. Until the first record
        of the new segment is on disk, the old one is the last.
        """
        self.sync()
        number = self._number + 1
        sealed = SegmentBegun(
            self._number, self._base + self._at, self._count, self._chain.seq, self._chain.hash,
            self._digest.hexdigest(),
        )  # fmt: skip
        payload = records.encode(sealed)
        data = frame(payload)
        file = self._disk.open(path_of(self.path, number))
        try:
            size = self._begin(file, data)
        except OSError as error:
            file.close()
            if error.errno not in _FULL:
                raise
            self._disk.remove(path_of(self.path, number))
            return False
        self._files[number], self._file, self._number = file, file, number
        self._base, self._at, self._size = sealed.offset, len(data), size
        self._count, self._last = self._count + 1, payload
        self._digest = hashlib.blake2b(data, digest_size=32)
        self._let_go()
        self.sealed, self.synced = sealed, Extent(self._base + self._at, self._count, self._last)
        return True

    def _begin(self, file: File, data: bytes) -> int:
        """Allocate a segment, then write the record that makes it one; its size."""
        reach("execution.rotate.before")
        size = max(self._segment, len(file.read()))
        file.write(bytes(size), 0)
        file.sync(whole=True)
        reach("execution.rotate.allocated")
        file.write(data, 0)
        reach("execution.rotate.written")
        file.sync()
        reach("execution.rotate.after")
        return size

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        self._close()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


def read(path: Path) -> Iterator[Place]:
    """The records of a journal that may be in use, checked, oldest first.

    Raises:
        JournalError: damaged other than by a cut-off write; a segment is missing.
    """
    return iter(segments.walk(path))


def events(path: Path) -> Iterator[OrderEvent]:
    """The order events of a journal, oldest first; see `read`."""
    for place in read(path):
        if isinstance(place.record, OrderEvent):
            yield place.record
