import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.order import EventKind, ExecutionMarker, OrderEvent
from core.errors import JournalError
from execution.journal import journal
from execution.journal.chain import Chain
from execution.journal.disk import MachineDisk, MachineFile
from execution.journal.frames import frame
from execution.journal.journal import Journal
from execution.journal.records import Record, encode
from tests.simulation.disk import SimulatedDisk

SEGMENT = 8192


def event(number: int, text: str = "") -> OrderEvent:
    return OrderEvent(
        seq=0, event_id=f"o{number}.1", kind=EventKind.DENIED, run_id="r", mode="replay",
        account="a", strategy="s", order_id=f"o{number}", signal_id="sig", source="oanda",
        symbol="EURUSD", ts_event_us=number, ts_init_us=number, reason=text,
    )  # fmt: skip


def write(path: Path, records: list[Record]) -> list[journal.Place]:
    opened = Journal(path, SEGMENT)
    for record in records:
        opened.append([record])
    opened.close()
    return list(journal.read(path))


def lose_sector(path: Path, number: int, begin: int) -> None:
    """Bytes of a sector from `begin` on were never written."""
    content = bytearray(path.read_bytes())
    first = max(number * 512, begin)
    content[first : (number + 1) * 512] = bytes((number + 1) * 512 - first)
    path.write_bytes(content)


def damage(path: Path, offset: int, mask: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= mask
    path.write_bytes(content)


def cut(path: Path, offset: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:offset] + bytes(len(content) - offset))


def test_what_was_appended_is_read_back_numbered_and_chained(tmp_path: Path) -> None:
    marker = ExecutionMarker("r", 1, 5)
    places = write(tmp_path / "j", [event(1), marker, event(2)])
    assert [place.number for place in places] == [1, 2, 3]
    first, second = journal.events(tmp_path / "j")
    assert (first.seq, second.seq) == (1, 2)
    assert first.previous_hash == ""
    assert second.previous_hash == first.hash != second.hash
    assert places[1].record == marker


def test_the_bytes_of_a_linked_event_are_its_encoding() -> None:
    linked, payload = Chain().link(event(1, "why"))
    assert payload == encode(linked)


def test_reopening_continues_the_chain(tmp_path: Path) -> None:
    write(tmp_path / "j", [event(1)])
    reopened = Journal(tmp_path / "j", SEGMENT)
    assert [type(record) for record in reopened.take()] == [OrderEvent]
    assert reopened.take() == []
    reopened.append([event(2)])
    reopened.close()
    assert [e.seq for e in journal.events(tmp_path / "j")] == [1, 2]


def test_it_grows_by_whole_segments_of_zeros(tmp_path: Path) -> None:
    write(tmp_path / "j", [event(n, "x" * 900) for n in range(20)])
    assert (tmp_path / "j").stat().st_size % SEGMENT == 0
    assert (tmp_path / "j").stat().st_size > 2 * SEGMENT
    assert len(list(journal.events(tmp_path / "j"))) == 20


class FullDisk(MachineDisk):
    def open(self, path: Path) -> "FullFile":
        return FullFile(path)


class FullFile(MachineFile):
    """A file that cannot grow beyond its first segment."""

    def write(self, data: bytes, offset: int) -> None:
        if offset + len(data) > SEGMENT:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(data, offset)


def test_on_a_full_disk_it_is_used_to_its_last_byte_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "j"
    opened, count = Journal(path, SEGMENT, FullDisk()), 0
    while opened.room > 1200:
        opened.append([event(count, "x" * 700)])
        count += 1
    with pytest.raises(JournalError, match=r"j: the disk is full .* Free space on it"):
        opened.append([event(count, "x" * 2000)])
    opened.close()
    assert len(list(journal.events(path))) == count
    again = Journal(path, SEGMENT)  # there is space again
    again.append([event(count, "x" * 2000)])
    again.close()
    assert len(list(journal.events(path))) == count + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=1500), min_size=1, max_size=6), st.data())
def test_a_write_cut_off_anywhere_is_wiped_and_the_rest_kept(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    places = write(path, [event(n, text) for n, text in enumerate(texts)])
    last = places[-1]
    cut(path, data.draw(st.integers(last.offset, last.end - 1)))
    reopened = Journal(path, SEGMENT)
    assert reopened.take() == [p.record for p in places[:-1]]
    reopened.append([event(99)])
    reopened.close()
    assert [e.seq for e in journal.events(path)] == list(range(1, len(texts) + 1))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=700), min_size=1, max_size=5), st.data())
def test_a_flipped_bit_anywhere_in_a_record_is_refused_by_number_and_byte(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    places = write(path, [event(n, text) for n, text in enumerate(texts)])
    place = data.draw(st.sampled_from(places))
    offset = data.draw(st.integers(place.offset, place.end - 1))
    damage(path, offset, 1 << data.draw(st.integers(0, 7)))
    before = path.read_bytes()
    with pytest.raises(JournalError, match=f"record {place.number} at byte {place.offset}"):
        Journal(path, SEGMENT)
    assert path.read_bytes() == before


@pytest.mark.parametrize("sector", [0, 1, 2, 3])
def test_records_appended_together_are_wiped_together_when_any_sector_was_lost(
    tmp_path: Path, sector: int
) -> None:
    [first] = write(tmp_path / "j", [event(1)])
    opened = Journal(tmp_path / "j", SEGMENT)
    opened.append([event(n, "x" * 400) for n in (2, 3, 4)])
    opened.close()
    lose_sector(tmp_path / "j", sector, first.end)
    reopened = Journal(tmp_path / "j", SEGMENT)
    assert reopened.take() == [first.record]
    reopened.close()
    assert not any((tmp_path / "j").read_bytes()[first.end :])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_flipped_bit_in_records_appended_together_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    opened = Journal(path, SEGMENT)
    opened.append([event(1), event(2, "x" * 700), event(3)])
    opened.close()
    place = data.draw(st.sampled_from(list(journal.read(path))))
    damage(
        path, data.draw(st.integers(place.offset, place.end - 1)), 1 << data.draw(st.integers(0, 7))
    )
    with pytest.raises(JournalError, match=f"record {place.number} at byte {place.offset}"):
        Journal(path, SEGMENT)


def test_an_append_is_synced_before_the_next_unless_it_may_be_repeated(tmp_path: Path) -> None:
    disk = SimulatedDisk(lambda _: None)
    for careful in (True, False):
        opened = Journal(tmp_path / "j", SEGMENT, disk, careful=careful)
        opened.append([event(1)])
        opened.append([event(2)])
        written = disk.content(tmp_path / "j")
        assert (b"o2.1" in written, b"o2.1" in disk.durable) == (True, False)
        assert (b"o1.1" in disk.durable) is careful
        disk = SimulatedDisk(lambda _: None)


def test_a_torn_record_before_whole_ones_is_not_a_cut_off_write(tmp_path: Path) -> None:
    places = write(tmp_path / "j", [event(1), event(2), event(3)])
    content = bytearray((tmp_path / "j").read_bytes())
    content[places[1].offset : places[1].end] = bytes(places[1].end - places[1].offset)
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(JournalError, match="record 2"):
        Journal(tmp_path / "j", SEGMENT)


def test_a_record_changed_with_its_checksum_breaks_the_chain(tmp_path: Path) -> None:
    places = write(tmp_path / "j", [event(1, "honest"), event(2)])
    forged = encode(places[0].record).replace(b"honest", b"forged")
    content = bytearray((tmp_path / "j").read_bytes())
    content[: places[0].end] = frame(forged)
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(JournalError, match=r"record 1 at byte 0: its own hash"):
        list(journal.read(tmp_path / "j"))


def test_a_record_left_out_breaks_the_chain() -> None:
    chain = Chain()
    chain.link(event(1))
    third = Chain()
    third.follow(Chain().link(event(1))[0], "here")
    with pytest.raises(JournalError, match="event number 1 follows 1"):
        third.follow(Chain().link(event(2))[0], "here")


def test_two_processes_cannot_share_a_journal(tmp_path: Path) -> None:
    held = Journal(tmp_path / "j", SEGMENT)
    with pytest.raises(JournalError, match="in use"):
        Journal(tmp_path / "j", SEGMENT)
    held.close()
    Journal(tmp_path / "j", SEGMENT).close()
