"""The log of accepted requests survives a torn write and refuses a damaged one."""

from pathlib import Path

import pytest

from adapters.simulator.broker.request_log import RequestLog
from core.errors import JournalError

HEADER = {"account": 1, "names": ("a", "b")}


def written(path: Path, count: int = 3) -> bytes:
    log = RequestLog(path, HEADER)
    for number in range(count):
        log.append({"number": number, "price": 1.1 + number})
    log.close()
    return path.read_bytes()


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
    for length in range(start, len(content)):
        path.write_bytes(content[:length])
        assert numbers(path) == [0, 1]
        log = RequestLog(path, HEADER)
        log.append({"number": 9})
        log.close()
        assert numbers(path) == [0, 1, 9]


def test_a_torn_header_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(written(path, 0)[:-5])
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
