"""Strategies that remember: loaded, held to the form, and folded row by row."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.desk import same_rule
from strategies.folded import fold, remembers
from strategies.select import select

COUNTS = """
class Counts:
    name, horizon_s, needs_model, state_size = "counts", 60.0, False, 2
    def __init__(self, settings):
        pass
    def step(self, state, row, probabilities):
        state[0] += 1
        state[1] = state[1] * 0.9 + row[0]
        return (1 if state[1] > 0 else -1) if state[0] % 3 == 0 else 0, 1 / state[0]
"""
ROWS = np.random.default_rng(3).normal(size=(200, len(NAMES))).astype(np.float32)


def counts(folder: Path, text: str = COUNTS) -> object:
    (folder / "counts.py").write_text(text)
    return select("counts", SignalSettings(), folder)


def test_a_state_is_folded_the_same_however_rows_are_cut(tmp_path: Path) -> None:
    strategy = counts(tmp_path)
    assert remembers(strategy)
    whole = fold(strategy, b"", ROWS, None)
    assert whole.before[0].tolist() == [0.0, 0.0]
    assert whole.targets.direction.tolist()[:6] == [0, 0, *whole.targets.direction.tolist()[2:6]]
    assert set(np.flatnonzero(whole.targets.direction) % 3) == {2}
    state, parts = b"", []
    for begin, end in ((0, 1), (1, 7), (7, 7), (7, 200)):
        part = fold(strategy, state, ROWS[begin:end], None)
        state = part.after
        parts.append(part)
    assert state == whole.after
    assert np.array_equal(np.concatenate([p.before for p in parts]), whole.before)
    directions = np.concatenate([p.targets.direction for p in parts])
    assert np.array_equal(directions, whole.targets.direction)


def test_two_that_remember_are_never_asked_as_one(tmp_path: Path) -> None:
    one = counts(tmp_path)
    assert not same_rule(one, one)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("state_size = \"counts\", 60.0, False, 2", "state_size = \"counts\", 60.0, False, 0"),
         "state_size must be from 1 to 256"),
        (("60.0, False, 2", "60.0, False, 2.5"), "state_size must be"),
        (("60.0, False, 2", "0, False, 2"), "horizon_s must be above 0"),
        ((", state_size = \"counts\", 60.0, False, 2", " = \"counts\", 60.0, False"),
         "lacks state_size"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_its_form_is_said(tmp_path: Path, change, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        counts(tmp_path, COUNTS.replace(*change))


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("return 2, 1.0", "a direction is -1, 0 or 1"),
        ("return float('nan'), 1.0", "a direction is -1, 0 or 1"),
        ("return 1", "failed: TypeError"),
        ("return 1, 'sure'", "failed: ValueError"),
        ("state[7] = 1; return 0, 0", "failed: IndexError"),
    ],
)
def test_what_a_step_gets_wrong_never_becomes_a_signal(tmp_path: Path, step, problem) -> None:
    text = COUNTS.replace("state[0] += 1\n", f"{step}\n")
    with pytest.raises(SettingsError, match=problem):
        fold(counts(tmp_path, text), b"", ROWS, None)
