import numpy as np
import pytest

from features.catalog import NAMES
from models.monitoring.drift import bands_of, drift
from models.training.calibrate import applied, calibrate, calibration_error, reliability


def rows(seed: int, count: int = 20_000) -> np.ndarray:
    result = np.random.default_rng(seed).normal(size=(count, len(NAMES))).astype(np.float32)
    result[:, 1] = np.round(result[:, 1])  # few values, many times each
    result[: count // 2, 2] = np.nan
    return result


def columns(now: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(NAMES, now.T, strict=True))


def probabilities(seed: int, count: int = 20_000) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet((2, 5, 2), count).astype(np.float32)


def test_rows_like_those_of_training_have_not_drifted() -> None:
    result = drift(bands_of(rows(1), probabilities(1)), NAMES, columns(rows(2)), probabilities(2))
    assert [d.name for d in result] == [*NAMES, "p_down", "p_up"]
    assert max(d.psi for d in result) < 0.01
    assert max(d.ks for d in result) < 0.03


def test_own_features_count_where_the_rows_have_them() -> None:
    then = np.concatenate([rows(1), rows(3)[:, :1]], axis=1)
    bands, now = bands_of(then, probabilities(1)), columns(rows(2))
    names = (*NAMES, "mine")
    served = drift(bands, names, now | {"mine": rows(4)[:, 0] + 1.0}, probabilities(2))
    assert [d.name for d in served] == [*names, "p_down", "p_up"]
    assert served[len(NAMES)].psi > 0.5
    for none in ({}, {"mine": np.empty(0, np.float32)}):
        assert [d.name for d in drift(bands, names, now | none, probabilities(2))] == [
            *NAMES, "p_down", "p_up",
        ]  # fmt: skip


def test_moved_missing_and_other_predictions_are_found() -> None:
    now, text = rows(2), probabilities(2)
    now[:, 0] += 1.0
    now[:, 2] = 0.0
    now[:, 3] = np.nan
    text[:, 2] *= 0.3
    result = {
        d.name: d for d in drift(bands_of(rows(1), probabilities(1)), NAMES, columns(now), text)
    }
    assert result[NAMES[0]].psi > 0.5
    assert result[NAMES[0]].ks == pytest.approx(0.38, abs=0.03)
    assert (result[NAMES[2]].missing, result[NAMES[2]].missing_then) == (0.0, 0.5)
    assert result[NAMES[2]].psi > 1
    assert result[NAMES[3]].psi > 1
    assert result["p_up"].psi > 0.5
    assert result["p_down"].psi < 0.01


def test_a_column_never_seen_in_training_drifts_only_by_being_there() -> None:
    then = rows(1)
    then[:, 5] = np.nan
    result = drift(bands_of(then, probabilities(1)), NAMES, columns(rows(2)), probabilities(2))
    assert result[5].psi > 1
    assert result[5].ks == 0.0


def test_calibration_undoes_overconfidence() -> None:
    random = np.random.default_rng(5)
    honest = random.dirichlet((2, 3, 2), 8_000)
    label = np.array([random.choice(3, p=p) for p in honest], np.int8)
    loud = honest**3 / (honest**3).sum(axis=1, keepdims=True)
    how = calibrate(loud.astype(np.float32), label)
    assert how.slope == pytest.approx(1 / 3, abs=0.05)
    raw = calibration_error(reliability(loud[:, 2], label == 2))
    mended = calibration_error(reliability(applied(loud.astype(np.float32), how)[:, 2], label == 2))
    assert mended < 0.03 < raw


def test_reliability_counts_every_row_once_and_skips_empty_bins() -> None:
    bins = reliability(np.array([0.05, 0.95, 1.0]), np.array([False, True, True]))
    points = [(b.rows, round(b.predicted, 3), b.came) for b in bins]
    assert points == [(1, 0.05, 0.0), (2, 0.975, 1.0)]
    assert calibration_error([]) == 0.0
