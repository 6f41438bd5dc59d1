"""Figures keep what they were measured beside, and the verdict of a comparison its doubt."""

import math
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.compare import verdict
from benchmarks.figures import NOTES, Figure, cells, keep, kept, note, noted


def test_a_goal_is_about_the_value_the_ratio_or_what_is_beyond_the_floor() -> None:
    assert Figure("a", 3.0, "s", "run", goal=3.0).reached is True
    assert Figure("a", 3.0, "s", "run", goal=4.0, least=True).reached is False
    assert Figure("a", 90.0, "µs", "run", 40.0, "beyond", floor=60.0).reached is True
    assert Figure("a", 9.0, "a second", "run", 0.85, "ratio", least=True, floor=10.0).reached
    assert Figure("a", 3.0, "s", "run").reached is None


def test_a_loaded_machine_leaves_cpu_seconds_and_bytes_as_they_are() -> None:
    assert [Figure("a", 1.0, unit, "run", load=9.0).holds for unit in ("CPU s", "bytes", "s")] == [
        True, True, False,
    ]  # fmt: skip
    assert Figure("a", 1.0, "ticks/s", "run", load=1.0).holds


def test_what_benches_note_is_kept_in_place_of_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, table = tmp_path / "notes", tmp_path / "table.json"
    note(Figure("nobody asked", 1.0, "s", "run"))
    monkeypatch.setenv(NOTES, str(notes))
    note(Figure("a", 1.0, "s", "run"), Figure("b", 2.0, "s", "run", peer=4.0))
    keep(noted(notes), table)
    note(Figure("a", 3.0, "s", "run"))
    keep(noted(notes), table)
    a, b = kept(table)
    assert (a.name, a.value, b.peer, math.isnan(a.peer)) == ("a", 3.0, 4.0, True)
    assert a.machine
    assert a.day
    assert cells(b)[1:5] == ("2 s", "4", "", "0.5")


def test_a_version_is_better_only_beyond_the_noise_of_the_pairs() -> None:
    base = [10.0, 11.0, 9.0, 10.0]
    assert str(verdict(base, [5.0, 5.6, 4.4, 5.1])).startswith("better: 0.50")
    assert str(verdict(base, [20.0, 21.0, 19.0, 20.0])).startswith("worse")
    assert str(verdict(base, [9.0, 13.0, 8.0, 11.0])).startswith("the same")


def test_a_loaded_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (machine.QUIET, 0.0, 0.0))
    machine.refuse_load("--loaded")
    monkeypatch.setattr("os.getloadavg", lambda: (machine.QUIET + 0.1, 0.0, 0.0))
    with pytest.raises(SystemExit, match="--loaded"):
        machine.refuse_load("--loaded")
