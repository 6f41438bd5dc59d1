"""Which snapshot a start may believe, and how the next one comes to be.

`python -m execution.journal.snapshots JOURNAL [DIGEST]` folds what was sealed since the snapshot of
that digest and prints the digest of the next: a process of its own, so that the one that trades
neither waits for it nor shares an interpreter with it.

Believed is only what the witness saw (`execution/journal/witness.py`), what says the same as the
first record of the segment that follows, and whose segments are as they were when they were folded.
"""

import hashlib
import logging
import os
import sys
from pathlib import Path

from core.crashpoint import reach
from core.errors import JournalError
from execution.journal import segments, snapshot
from execution.journal.book import Book
from execution.journal.segments import NOTHING, Walk, mapped
from execution.journal.snapshot import Seen, Snapshot
from execution.risk.activity import Activity

_log = logging.getLogger(__name__)
_UNFOLDED = 3  # sealed segments after which a start makes a snapshot before it goes on


def at_start(journal: Path, witnessed: str) -> Snapshot | None:
    """The state to begin with; None when all is to be folded.

    Args:
        witnessed: digest of the snapshot that the witness saw; "" of none.

    Raises:
        JournalError: a segment is missing, or is another than it was when it was folded.
    """
    sealed = segments.sealed(journal)
    if not sealed:
        return None
    newest = believed(journal, witnessed)
    unfolded = sealed - (newest.end.segment if newest else 0)
    if unfolded < _UNFOLDED:
        return newest
    _log.info("%s: %d segments are folded first", journal, unfolded)
    fold_sealed(journal, newest)
    return snapshot.read(snapshot.path_of(journal, sealed))


def believed(journal: Path, witnessed: str) -> Snapshot | None:
    """The newest snapshot that is what the witness saw and fits its segments; None, and why.

    Raises:
        JournalError: a segment is another than it was when it was folded.
    """
    for path in sorted(journal.parent.glob(f"{journal.name}.state.??????"), reverse=True):
        try:
            newest = snapshot.read(path)
        except JournalError as error:
            _log.warning("%s; the journal's segments are folded instead", error)
            continue
        if newest.digest != witnessed:
            continue
        if segments.begun(journal, newest.end.segment + 1) != newest.end:
            _log.warning("%s contradicts its segments, which are folded instead", path)
            continue
        _check(journal, newest)
        return newest
    if witnessed:
        _log.warning("%s: the snapshot that was witnessed is gone; segments are folded", journal)
    return None


def fold_sealed(journal: Path, before: Snapshot | None) -> str:
    """Fold what was sealed since a snapshot and keep the next; its digest, "" with nothing to do.

    Raises:
        JournalError: a segment is missing or damaged.
        OSError: the disk takes nothing.
    """
    last, end = segments.sealed(journal), before.end if before else NOTHING
    if last <= end.segment:
        return ""
    book, activity = snapshot.restored(before) if before else (Book(), Activity())
    seen = list(before.state.seen) if before else []
    for number in range(end.segment + 1, last + 1):
        walk = Walk(journal, lambda n: mapped(segments.path_of(journal, n)), number, end)
        for place in walk:
            book.apply(place.record)
            activity.fold(place.record)
        seen.append(_seen(segments.path_of(journal, number), walk.end.offset - end.offset, walk))
        end = walk.end
    if segments.begun(journal, last + 1) != end:
        raise segments.torn(journal, last + 1)
    reach("execution.snapshot.before")
    digest = snapshot.write(journal, end, book, activity, before.past if before else None, seen)
    reach("execution.snapshot.after")
    return digest


def forget(journal: Path, segment: int) -> None:
    """Take away the snapshots of before a segment's end; after the newer one was witnessed."""
    for path in journal.parent.glob(f"{journal.name}.state.??????"):
        if path < snapshot.path_of(journal, segment):
            path.unlink(missing_ok=True)


def _seen(path: Path, used: int, walk: Walk) -> Seen:
    now = path.stat()
    return Seen(now.st_size, now.st_mtime_ns, used, walk.end.digest)


def _check(journal: Path, newest: Snapshot) -> None:
    """Segments that were touched since are read again: their digest decides."""
    for number, seen in enumerate(newest.state.seen, 1):
        path = segments.path_of(journal, number)
        now = path.stat()
        if (now.st_size, now.st_mtime_ns) == (seen.size, seen.changed_ns):
            continue
        content = mapped(path)
        digest = hashlib.blake2b(content[: seen.used], digest_size=32).hexdigest()
        if digest != seen.digest or content[seen.used :].strip(b"\0"):
            raise segments.torn(journal, number + 1)


def main(words: list[str]) -> int:
    """Make the next snapshot of a journal."""
    if hasattr(os, "nice"):
        os.nice(10)
    journal, witnessed = Path(words[0]), words[1] if len(words) > 1 else ""
    print(fold_sealed(journal, believed(journal, witnessed)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
