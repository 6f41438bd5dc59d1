from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.order import EventKind, ExecutionMarker, OrderEvent
from core.errors import JournalError
from execution import journal
from execution.chain import Chain
from execution.journal import Journal
from execution.records import Record, encode

SEGMENT = 8192


def event(number: int, text: str = "") -> OrderEvent:
    return OrderEvent(
        0, f"o{number}.1", EventKind.DENIED, "r", "replay", "a", "s", f"o{number}", "sig", "oanda",
        "EURUSD", number, number, reason=text,
    )  # fmt: skip


def write(path: Path, records: list[Record]) -> list[journal.Place]:
    opened = Journal(path, SEGMENT)
    opened.append(records)
    opened.close()
    return list(journal.read(path))


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
    content[: places[0].end] = journal._frame(forged)
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
