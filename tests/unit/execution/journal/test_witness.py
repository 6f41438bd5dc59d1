"""What was seen of a journal survives a disk that takes nothing, and is never guessed."""

from pathlib import Path

import pytest

from core.errors import JournalError
from execution.journal import witness
from execution.journal.journal import Journal
from execution.journal.witness import Witness
from tests.support import traded_journal


@pytest.fixture
def opened(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal", 16_384)
    traded_journal.write(journal, 1, 2)
    journal.sync()
    return journal


def test_what_was_never_witnessed_is_nothing_and_an_empty_journal_leaves_nothing(
    tmp_path: Path,
) -> None:
    journal, path = Journal(tmp_path / "journal", 16_384), witness.path_in(tmp_path, "acc1")
    assert Witness(journal, path).tell()
    assert witness.read(path) is None
    witness.write(path, journal.synced)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b'{"end":1}', b"\xff"])
def test_a_witness_that_is_not_as_it_was_written_stops_the_start_with_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "journal.acc1.json"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"not as it was written.*tickhouse audit accept"):
        witness.read(path)


def test_a_disk_that_takes_nothing_is_told_and_what_it_missed_is_written_later(
    tmp_path: Path, opened: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    path = witness.path_in(tmp_path, "acc1")
    path.parent.write_text("a file where the folder would be")
    beside = Witness(opened, path)
    assert not beside.tell()
    assert "is behind its journal" in caplog.text
    path.parent.unlink()
    beside.snapshot = "abc"
    assert beside.tell()
    seen = witness.read(path)
    assert seen is not None
    assert (seen.end, seen.records, seen.snapshot) == (
        opened.synced.end,
        opened.synced.number,
        "abc",
    )
