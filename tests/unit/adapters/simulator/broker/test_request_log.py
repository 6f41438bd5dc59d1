"""The log of accepted requests survives a torn write and refuses a damaged one."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.simulator.broker.request_log import RequestLog, witness_of
from core.errors import JournalError

HEADER = {"account": 1, "names": ("a", "b")}


def written(path: Path, count: int = 3) -> bytes:
    log = RequestLog(path, HEADER)
    for number in range(count):
        log.append({"number": number, "price": 1.1 + number})
    log.close()
    return path.read_bytes()


def witnessed(path: Path, count: int) -> bytes:
    """What the witness of so many records holds."""
    other = path.with_name("other")
    written(other, count)
    return witness_of(other).read_bytes()


def numbers(path: Path) -> list[int]:
    log = RequestLog(path, HEADER)
    log.close()
    return [record["number"] for record in log.records()]


def test_records_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path / "log")
    assert numbers(tmp_path / "log") == [0, 1, 2]


def test_a_record_torn_at_any_byte_is_cut_off_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    content = written(path)
    start = content.rindex(b"\n", 0, -1) + 1
    before = witnessed(path, count=2)
    for length in range(start, len(content)):
        path.write_bytes(content[:length])
        witness_of(path).write_bytes(before)  # it is written behind the record
        assert numbers(path) == [0, 1]
        log = RequestLog(path, HEADER)
        log.append({"number": 9})
        log.close()
        assert numbers(path) == [0, 1, 9]


def test_a_torn_header_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(written(path, 0)[:-5])
    witness_of(path).write_bytes(b"")
    assert numbers(path) == []


def test_damage_before_the_end_stops_with_the_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    content = bytearray(written(path))
    content[content.index(b'"number":1') + 9] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalError, match="record 3"):
        RequestLog(path, HEADER)


def test_another_header_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "log")
    with pytest.raises(JournalError, match="record 1"):
        RequestLog(tmp_path / "log", {"account": 2})


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_log_cut_at_a_record_s_end_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "log"
    lines = written(path).splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]))
    with pytest.raises(JournalError, match="other records than the 4 that"):
        RequestLog(path, HEADER)
    assert path.read_bytes() == b"".join(lines[:kept])  # nothing is begun anew over it
    witness_of(path).unlink()  # as the remedy says
    assert numbers(path) == [0, 1, 2][: max(kept - 1, 0)]


def test_a_log_in_another_s_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written(path, 2)
    (tmp_path / "other").mkdir()
    log = RequestLog(tmp_path / "other" / "log", HEADER)
    for number in (7, 8, 9):
        log.append({"number": number})
    log.close()
    path.write_bytes((tmp_path / "other" / "log").read_bytes())
    with pytest.raises(JournalError, match="other records than the 3 that"):
        RequestLog(path, HEADER)


def test_a_link_in_its_place_is_refused_and_its_target_untouched(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "target")
    with pytest.raises(JournalError, match="is a link"):
        RequestLog(tmp_path / "log", HEADER)
    assert not (tmp_path / "target").exists()


def test_a_log_of_an_older_version_is_witnessed_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written(path)
    witness_of(path).unlink()
    assert numbers(path) == [0, 1, 2]
    assert witness_of(path).read_bytes() == witnessed(path, 3)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The system takes what fits of a write, as a disk does that is nearly full, and then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 20, 40])
def test_of_a_record_that_a_full_disk_took_in_part_nothing_stays(tmp_path: Path, room: int) -> None:
    path = tmp_path / "log"
    log = RequestLog(path, HEADER)
    log.append({"number": 0})
    before = path.read_bytes()
    with (
        no_file_beyond(len(before) + room),
        pytest.raises(JournalError, match="free some space there"),
    ):
        log.append({"number": 1, "comment": "longer than there is room for, in any case"})
    assert path.read_bytes() == before
    log.append({"number": 2})
    log.close()
    assert numbers(path) == [0, 2]


def test_what_could_not_be_cut_off_then_is_cut_off_before_the_next_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = RequestLog(path, HEADER)
    with path.open("ab") as another:
        another.write(b'6d2b4361 {"number":')
    log.append({"number": 1})
    log.close()
    assert numbers(path) == [1]
