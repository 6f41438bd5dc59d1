"""A start after years: fold the newest snapshot and what follows; peer: all of the same journal.

`python -m benchmarks.bench_journal [--events N] [--directory DIR]`

Writes a journal of trades (eight events each), rotated as execution does, then measures: what a
rotation costs the trading thread, making the last snapshot, a start from it (open the journal, fold
what follows; the median of several, the pages of the file being in memory), a start in a process
of its own with imports, and once the fold of everything. `--directory` keeps the journal: with one
that is there nothing is written. Ten million events need 12 GB of disk and, on two cores, half an
hour.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import Stopwatch, Took, describe, median_of
from execution.journal import journal, segments, snapshots
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.journal.snapshot import restored
from execution.journal.space import KEPT
from execution.risk.activity import Activity
from tests.support import traded_journal

_STARTS = 7


class Nowhere:
    """An outbox that takes nothing: a bus is not what is measured."""

    def add(self, *_: object) -> None:
        """Forgotten."""


def write(path: Path, events: int) -> list[float]:
    """Trades of so many events; seconds of each rotation."""
    opened, rotations = Journal(path, careful=False), list[float]()
    for number in range(1, events // traded_journal.PER_TRADE + 1):
        for entries in traded_journal.trade(number):
            opened.append(entries)
        if opened.room < KEPT:
            opened.sync()
            begin = time.perf_counter()
            opened.rotate()
            rotations.append(time.perf_counter() - begin)
    opened.close()
    return rotations


def start(path: Path, digest: str) -> tuple[Took, int]:
    """From nothing to a book that knows all, and records folded."""
    watch = Stopwatch()
    since = snapshots.at_start(path, digest)
    assert since is not None
    book, activity = restored(since)
    opened = Journal(path, since=since.end)
    ledger = Ledger(opened, book, Nowhere(), activity)  # type: ignore[arg-type]
    took = watch.took()
    assert ledger.book.last is not None
    folded = opened.synced.number - since.end.records
    opened.close()
    return took, folded


def full(path: Path) -> Took:
    """Folding all records."""
    watch, book, activity = Stopwatch(), Book(), Activity()
    for place in journal.read(path):
        book.apply(place.record)
        activity.fold(place.record)
    return watch.took()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        path = (options.directory or Path(temporary)) / "journal"
        if not path.exists():
            rotations = write(path, options.events)
            print(f"rotation p50 {statistics.median(rotations) * 1e3:.1f} ms, max"
                  f" {max(rotations) * 1e3:.1f} ms, {len(rotations)} of them")  # fmt: skip
        watch = Stopwatch()
        digest = snapshots.fold_sealed(path, None)
        print(f"first snapshot of all: {watch.took()}")
        times = [start(path, digest) for _ in range(_STARTS)]
        took = median_of(t for t, _ in times)
        size = sum(p.stat().st_size for p in path.parent.glob("journal.state.*")) / 1e6
        print(f"start from the snapshot ({size:.0f} MB) and {times[0][1]} records: {took}")
        print(f"the same, process and imports included: {_process(path, digest)}")
        print(f"peer, all {segments.count(path)} segments folded: {full(path)}")


def _process(path: Path, digest: str) -> Took:
    program = (
        "import sys; from pathlib import Path; from benchmarks.bench_journal import start\n"
        "start(Path(sys.argv[1]), sys.argv[2])"
    )
    watch = Stopwatch()
    subprocess.run([sys.executable, "-c", program, str(path), digest], check=True)
    return watch.took()


if __name__ == "__main__":
    main()
