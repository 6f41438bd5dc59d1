"""A search in other processes: it stops in time, resumes, and never sees what is held back."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError, SettingsError
from core.sections import ModelSettings
from features import own
from models.training.dataset import Dataset
from models.training.search import search, without_held_back
from tests.support.datasets import planted_dataset

SETTINGS = ModelSettings(5.0, threads=1, members=("xgboost",))


FEATURE = """
from tickhouse import OwnFeature

FEATURE = OwnFeature("mine", "", "one", 0.0, ())


def update(state, ticks, out):
    for n in range(len(ticks)):
        out[n] = 1.0
"""


def with_own(data: Dataset, folder: Path) -> Dataset:
    """The dataset with a column of a person's own feature."""
    folder.mkdir()
    (folder / "mine.py").write_text(FEATURE)
    features = own.of_folder(folder)
    column = np.ones((len(data.rows), 1), np.float32)
    rows = np.concatenate([data.rows, column], axis=1)
    return data._replace(rows=rows, own=features, set_hash=own.set_hash(features))


@pytest.mark.heavy(suite="models")
def test_a_search_finds_settings_and_resumes_where_it_was(tmp_path: Path) -> None:
    reported: list[int] = []
    data = with_own(planted_dataset(4_000), tmp_path / "features")
    first = search(
        data, SETTINGS, tmp_path, seconds=120, trials=2, workers=2,
        on_progress=lambda done, best, left: reported.append(done),
    )  # fmt: skip
    assert 2 <= first.trials <= 3  # both workers may be at their last one
    assert first.skill > 0.05
    assert reported == sorted(reported)
    again = search(data, SETTINGS, tmp_path, seconds=120, trials=2, workers=1)
    assert again == first
    searched = {"rounds", "depth", "learning_rate", "leaf_rows", "threads"}
    for name in set(SETTINGS.__struct_fields__) - searched:
        assert getattr(first.settings, name) == getattr(SETTINGS, name)


def test_trials_never_see_what_training_holds_back() -> None:
    data = planted_dataset()
    observed = without_held_back(data)
    assert len(observed.rows) == 4_500
    assert observed.time_us.max() < np.sort(data.time_us)[4_500]
    assert len(without_held_back(planted_dataset(0)).rows) == 0


def test_a_search_without_a_successful_trial_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no trial of the search succeeded"):
        search(planted_dataset(400), SETTINGS, tmp_path, seconds=60, trials=1, workers=1)
    with pytest.raises(SettingsError, match="above zero"):
        search(planted_dataset(), SETTINGS, tmp_path, seconds=0)
