"""A journal of several segments: one journal for who reads it, and no segment can be exchanged."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution.journal import frames, journal, segments
from execution.journal.disk import MachineDisk, MachineFile
from execution.journal.journal import Journal
from execution.journal.reader import placed_events
from execution.journal.segments import path_of
from execution.journal.witness import Witnessed
from tests.support import traded_journal

SEGMENT = 16_384
TRADES = 12


def traded(path: Path, last: int = TRADES, first: int = 1) -> Witnessed | None:
    opened = Journal(path, SEGMENT)
    traded_journal.write(opened, first, last, rotate_at=10_000)
    opened.close()
    return Witnessed.of(opened.synced)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    traded(tmp_path / "journal")
    return tmp_path / "journal"


def hashes(path: Path) -> list[str]:
    return [event.hash for event in journal.events(path)]


def test_segments_are_one_journal_with_the_events_of_a_file_that_never_ended(
    path: Path, tmp_path: Path
) -> None:
    whole = Journal(tmp_path / "whole", SEGMENT)
    traded_journal.write(whole, 1, TRADES)
    whole.close()
    assert segments.sealed(path) >= 3
    assert hashes(path) == hashes(tmp_path / "whole")
    opened = Journal(path, SEGMENT)
    assert [r for r in opened.take() if isinstance(r, OrderEvent)] == list(journal.events(path))
    assert [r for r in opened.records() if isinstance(r, OrderEvent)] == list(journal.events(path))
    opened.close()
    places = list(placed_events(path))
    assert [place.event.hash for place in places] == hashes(path)
    assert all(a.end <= b.begin for a, b in pairwise(places))


def test_a_journal_of_one_file_goes_on_as_the_first_segment_and_stays_as_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal"
    opened = Journal(path, SEGMENT)
    traded_journal.write(opened, 1, 3)
    opened.close()
    before = path.read_bytes()
    again = Journal(path, SEGMENT)
    assert again.rotate()
    traded_journal.write(again, 4, 5)
    again.close()
    assert path.read_bytes() == before
    assert len(hashes(path)) == 5 * traded_journal.PER_TRADE


def test_what_is_copied_out_is_what_stands_between_two_events(path: Path) -> None:
    places = list(placed_events(path))
    begin, end = places[20].end, places[70].end
    one, two = (b"".join(segments.pieces(path, *a)) for a in ((0, begin), (begin, end)))
    assert b"".join(segments.pieces(path, 0, end)) == one + two
    assert len(one + two) == end
    assert places[70].event.hash.encode() in two
    assert [p.event.seq for p in placed_events(path, begin)] == [p.event.seq for p in places[21:]]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_segment_that_is_missing_is_named_with_its_remedy(path: Path, number: int) -> None:
    path_of(path, number).unlink()
    before = sorted(path.parent.iterdir())
    with pytest.raises(JournalError, match=rf"{path_of(path, number)} is missing.*one backup"):
        Journal(path, SEGMENT)
    with pytest.raises(JournalError, match="is missing"):
        list(journal.read(path))
    assert sorted(path.parent.iterdir()) == before


def test_the_last_segments_gone_are_seen_by_the_witness(path: Path) -> None:
    opened = Journal(path, SEGMENT)
    witnessed = Witnessed.of(opened.synced)
    opened.close()
    path_of(path, segments.count(path)).unlink()
    with pytest.raises(JournalError, match="shortened, emptied or replaced"):
        Journal(path, SEGMENT, witnessed=witnessed)


def shortened(path: Path) -> None:
    """Its last event and all after it are zeros."""
    content = path.read_bytes()
    place = list(frames.scan(content, path))[-1]
    path.write_bytes(content[: place.offset] + bytes(len(content) - place.offset))


def emptied(path: Path) -> None:
    path.write_bytes(bytes(SEGMENT))


def swapped(path: Path) -> None:
    one, other = path_of(path, 2), path_of(path, 3)
    one.rename(path.with_name("kept"))
    other.rename(one)
    path.with_name("kept").rename(other)


def of_another(path: Path) -> None:
    other = path.with_name("other")
    opened = Journal(other, SEGMENT)
    traded_journal.write(opened, 101, 101 + TRADES, rotate_at=10_000)
    opened.close()
    shutil.copy(path_of(other, 2), path_of(path, 2))


@pytest.mark.parametrize("spoil", [shortened, emptied, swapped, of_another])
def test_a_sealed_segment_that_is_another_is_refused(path: Path, spoil: object) -> None:
    spoil(path)  # type: ignore[operator]
    with pytest.raises(JournalError, match=r"does not go on where|damaged"):
        Journal(path, SEGMENT)


def test_a_flipped_bit_anywhere_is_refused(path: Path) -> None:
    for number in range(1, segments.count(path)):
        place = path_of(path, number)
        content = place.read_bytes()
        flipped = bytearray(content)
        flipped[700] ^= 1
        place.write_bytes(flipped)
        with pytest.raises(JournalError):
            Journal(path, SEGMENT)
        place.write_bytes(content)
    Journal(path, SEGMENT).close()


class FullDisk(MachineDisk):
    """Files that are there can be written, and nothing can grow."""

    def open(self, path: Path) -> "MachineFile":
        return FullFile(path)


class FullFile(MachineFile):
    def write(self, data: bytes, offset: int) -> None:
        if offset + len(data) > os.fstat(self._file).st_size:
            raise OSError(28, "No space left on device")
        super().write(data, offset)


def test_with_the_disk_full_it_stays_in_the_segment_and_nothing_is_left_behind(path: Path) -> None:
    before, there = hashes(path), sorted(path.parent.iterdir())
    opened = Journal(path, SEGMENT, FullDisk())
    assert not opened.rotate()
    assert sorted(path.parent.iterdir()) == there
    traded_journal.write(opened, TRADES + 1, TRADES + 1)
    opened.close()
    assert hashes(path)[: len(before)] == before
    later = Journal(path, SEGMENT)
    assert later.rotate()  # there is space again
    later.close()


PROGRAM = """
import sys
from pathlib import Path
from core import crashpoint
from tests.unit.execution.journal.test_segments import traded
home = Path(sys.argv[1])
crashpoint.arm_for("execution", sys.argv[2], home)
traded(home / "journal", 12, 1 + int(sys.argv[3]))
"""


def life(home: Path, crash_at: str, before: int) -> int:
    line = [sys.executable, "-c", PROGRAM, str(home), crash_at, str(before)]
    return subprocess.run(line, check=False, capture_output=True).returncode


@pytest.mark.process
@pytest.mark.parametrize("place", ["before", "allocated", "written", "after"])
def test_killed_anywhere_while_it_rotates_nothing_is_lost(tmp_path: Path, place: str) -> None:
    path = tmp_path / "journal"
    assert life(tmp_path, f"execution.rotate.{place}:2", 0) == -9
    known = hashes(path)
    done, rest = divmod(len(known), traded_journal.PER_TRADE)
    assert not rest
    assert known
    assert life(tmp_path, "", done) == 0
    whole = Journal(tmp_path / "whole", SEGMENT)
    traded_journal.write(whole, 1, TRADES)
    whole.close()
    assert hashes(path) == hashes(tmp_path / "whole")


def test_a_first_record_that_is_not_whole_begins_no_segment(path: Path) -> None:
    last = segments.count(path)
    before, place = hashes(path), path_of(path, last + 1)
    Journal(path, SEGMENT).close()
    opened = Journal(path, SEGMENT)
    assert opened.rotate()
    opened.close()
    content = place.read_bytes()
    for kept in (0, 3, 20, 100):
        place.write_bytes(content[:kept] + bytes(SEGMENT - kept))
        again = Journal(path, SEGMENT)
        assert again.sealed.segment == last - 1
        again.close()
        assert hashes(path) == before
    again = Journal(path, SEGMENT)
    assert again.rotate()
    traded_journal.write(again, TRADES + 1, TRADES + 1)
    again.close()
    assert hashes(path)[: len(before)] == before


def test_a_second_process_is_refused_whatever_the_segment(path: Path) -> None:
    opened = Journal(path, SEGMENT)
    with pytest.raises(JournalError, match="in use"):
        Journal(path, SEGMENT)
    opened.rotate()
    with pytest.raises(JournalError, match="in use"):
        Journal(path, SEGMENT)
    opened.close()
    Journal(path, SEGMENT).close()
