"""Saved questions are everybody's to run and one's own to change."""

from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import InputError
from dashboards.ask.saved import LONGEST_SQL, SavedQuestions


@pytest.fixture
def saved(tmp_path: Path) -> SavedQuestions:
    return SavedQuestions(tmp_path, ManualClock(1))


def test_a_name_is_ones_own_and_the_newer_one_counts(saved: SavedQuestions) -> None:
    saved.save("costs", "costs today", "SELECT 1", "ann")
    saved.save("costs", "", "SELECT 2", "bob")
    newer = saved.save(" costs ", "", "SELECT 3", "ann")
    assert {(one.by, one.sql) for one in saved.listed()} == {
        ("ann", "SELECT 3"), ("bob", "SELECT 2"),
    }  # fmt: skip
    with pytest.raises(InputError, match="none of yours"):
        saved.remove(newer.id, "bob", any_of_them=False)
    saved.remove(newer.id, "eve", any_of_them=True)
    assert [one.by for one in saved.listed()] == ["bob"]


@pytest.mark.parametrize(
    ("name", "sql", "names"),
    [
        ("", "SELECT 1", "name"), (81 * "x", "SELECT 1", "name"), ("a\u202eb", "SELECT 1", "name"),
        ("a", "  ", "sql"), ("a", "x" * (LONGEST_SQL + 1), "sql"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(saved: SavedQuestions, name: str, sql: str, names: str) -> None:
    with pytest.raises(InputError, match=names):
        saved.save(name, "", sql, "ann")
    assert saved.listed() == []


def test_a_damaged_file_is_named_and_not_written_over(tmp_path: Path) -> None:
    saved = SavedQuestions(tmp_path, ManualClock(1))
    saved.save("a", "", "SELECT 1", "ann")
    path = tmp_path / "ask" / "saved.json"
    path.write_bytes(path.read_bytes().replace(b"SELECT 1", b"SELECT 2"))
    for act in (saved.listed, lambda: saved.save("b", "", "SELECT 1", "ann")):
        with pytest.raises(InputError, match=r"saved\.json"):
            act()
    assert b"SELECT 2" in path.read_bytes()
