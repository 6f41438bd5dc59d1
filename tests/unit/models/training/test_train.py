import re
import sys

import msgspec
import numpy as np
import pytest

from core.errors import ModelError
from core.sections import ModelSettings
from models.serving.predictor import Predictor
from models.training import export
from models.training.labels import UNLABELLED
from models.training.parts import split_by_time
from models.training.train import fit
from tests.support.datasets import own_features, planted_dataset, recorded_dataset

TREES = ("xgboost", "lightgbm", "linear")
SETTINGS = ModelSettings(horizon_s=5.0, rounds=20, depth=3, threads=1, members=("xgboost",))
ENSEMBLE = msgspec.structs.replace(SETTINGS, members=TREES)
SECOND = 1_000_000


@pytest.mark.heavy(suite="models")
def test_two_trainings_give_the_same_bytes_and_card() -> None:
    data = planted_dataset()
    two_threads = msgspec.structs.replace(ENSEMBLE, threads=2)
    first, second = (fit(data, "r", two_threads, simulated=True) for _ in range(2))
    assert first == second
    assert fit(data, "r", ENSEMBLE, simulated=True).members == first.members


def test_a_planted_edge_is_found_on_rows_held_back() -> None:
    card = fit(planted_dataset(), "r", ENSEMBLE, simulated=True).card
    assert card.metrics.auc_direction is not None
    assert card.metrics.auc_direction > 0.9
    assert card.metrics.log_loss < 0.8 * card.baseline.log_loss
    assert card.parity <= export.PARITY
    assert card.simulated


def test_shuffled_answers_give_chance() -> None:
    data = planted_dataset()
    shuffled = np.random.default_rng(2).permutation(len(data.rows))
    card = fit(own_features(data._replace(rows=data.rows[shuffled])), "r", SETTINGS, True).card
    assert card.metrics.auc_direction == pytest.approx(0.5, abs=0.06)
    assert card.metrics.log_loss > card.baseline.log_loss - 0.01


def test_direction_on_recorded_ticks_stays_below_what_would_be_a_leak() -> None:
    data = recorded_dataset()
    card = fit(data, "r", ModelSettings(rounds=30, threads=1, members=TREES), simulated=False).card
    assert card.metrics.auc_direction is not None
    assert 0.4 < card.metrics.auc_direction < 0.6
    assert np.isnan(data.rows).any()
    assert card.parity <= export.PARITY
    assert not card.simulated


def test_data_of_a_generated_market_make_a_simulated_model() -> None:
    data = planted_dataset()._replace(simulated=True)
    assert fit(data, "r", SETTINGS, simulated=False).card.simulated


def test_the_split_is_one_moment_with_an_embargo_for_all_feeds() -> None:
    time = np.concatenate([np.arange(4000), np.arange(500, 3000)]) * SECOND
    label = np.ones(len(time), np.int8)
    label[::7] = UNLABELLED
    train, held_back = split_by_time(time, label, 60 * SECOND, 10_000)
    assert time[train].max() + 120 * SECOND <= time[held_back].min()
    assert (label[train] != UNLABELLED).all()
    assert (label[held_back] != UNLABELLED).all()
    share = len(held_back) / (label != UNLABELLED).sum()
    assert 0.2 < share <= 0.26
    assert len(train) + len(held_back) < (label != UNLABELLED).sum()


def test_too_many_rows_are_thinned_evenly_and_repeatably() -> None:
    time = np.arange(10_000) * SECOND
    label = np.ones(len(time), np.int8)
    train, held_back = split_by_time(time, label, SECOND, 1_000)
    assert (len(train), len(held_back)) == (1_000, 1_000)
    assert set(np.diff(train).tolist()) == {7, 8}
    assert split_by_time(time, label, SECOND, 1_000).train.tolist() == train.tolist()


@pytest.mark.parametrize("rows", [0, 1, 600])
def test_too_little_data_is_refused(rows: int) -> None:
    with pytest.raises(ModelError, match="too little data"):
        fit(planted_dataset(rows), "r", SETTINGS, simulated=True)


def test_one_class_is_refused() -> None:
    data = planted_dataset()
    data.spread[:] = 1.0
    own_features(data)
    with pytest.raises(ModelError, match="are 'flat'"):
        fit(data, "r", SETTINGS, simulated=True)


def test_a_model_without_one_of_the_classes_still_predicts_three() -> None:
    data = planted_dataset()
    data.mid[:] = np.maximum.accumulate(data.mid)  # it only ever rises
    own_features(data)
    model = fit(data, "r", SETTINGS, simulated=True)
    assert model.card.metrics.auc_down is None
    assert Predictor(model).probabilities(data.rows[:5]).shape == (5, 3)


def test_a_model_that_onnx_does_not_reproduce_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PARITY", 0.0)
    with pytest.raises(ModelError, match="ONNX and trainer differ"):
        fit(planted_dataset(), "r", SETTINGS, simulated=True)


def test_progress_is_told_from_start_to_end() -> None:
    reported: list[tuple[str, float]] = []
    fit(planted_dataset(), "r", SETTINGS, True, lambda *stage: reported.append(stage))
    training = [share for stage, share in reported if stage == "training xgboost"]
    assert training == sorted(training)
    assert training[-1] == 1.0
    assert len(training) == SETTINGS.rounds


def test_a_library_that_does_not_load_is_left_out_with_its_remedy(tmp_path, monkeypatch) -> None:
    broken = "raise OSError('libgomp.so.1: cannot open shared object file')"
    (tmp_path / "lightgbm.py").write_text(broken)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    card = fit(planted_dataset(), "r", ENSEMBLE, simulated=True).card
    assert "libgomp1" in card.left_out["lightgbm"]
    assert [member.name for member in card.members] == ["xgboost", "linear"]


def test_without_jax_the_network_is_left_out_and_alone_it_is_an_error(monkeypatch) -> None:
    for name in ("jax", "optax"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not there
    reported: list[str] = []
    some = msgspec.structs.replace(ENSEMBLE, members=("xgboost", "sequence"))
    card = fit(planted_dataset(), "r", some, True, lambda stage, _: reported.append(stage)).card
    assert [member.name for member in card.members] == ["xgboost"]
    remedy = r"jax, optax not installed; .*uv pip install -e '\.\[sequence\]'"
    assert re.search(remedy, card.left_out["sequence"])
    assert any(stage.startswith("without sequence: jax") for stage in reported)
    alone = msgspec.structs.replace(ENSEMBLE, members=("sequence",))
    with pytest.raises(ModelError, match=remedy):
        fit(planted_dataset(), "r", alone, simulated=True)
