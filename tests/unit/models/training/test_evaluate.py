import numpy as np
import pytest
from sklearn import metrics as reference

from models.training.evaluate import (
    accuracy,
    auc,
    baseline,
    brier,
    direction_auc,
    direction_range,
    evaluate,
    log_loss,
)

RANDOM = np.random.default_rng(5)
LABEL = RANDOM.integers(0, 3, 400).astype(np.int8)
SCORES = RANDOM.integers(1, 6, (400, 3)).astype(np.float32)  # with many ties
PROBABILITIES = SCORES / SCORES.sum(axis=1, keepdims=True)


def test_metrics_equal_the_reference_implementation() -> None:
    result = evaluate(PROBABILITIES, LABEL)
    exact = PROBABILITIES.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    assert result.log_loss == pytest.approx(reference.log_loss(LABEL, exact), rel=1e-6)
    assert result.accuracy == reference.accuracy_score(LABEL, PROBABILITIES.argmax(axis=1))
    assert result.auc_up == pytest.approx(reference.roc_auc_score(LABEL == 2, PROBABILITIES[:, 2]))
    assert result.auc_down == pytest.approx(
        reference.roc_auc_score(LABEL == 0, PROBABILITIES[:, 0])
    )


def test_values_by_hand() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    label = np.array([0, 1], np.int8)
    assert log_loss(probabilities, label) == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2)
    assert brier(probabilities, label) == pytest.approx((0.375 + 1.04) / 2)
    assert accuracy(probabilities, label) == 0.5


def test_auc_counts_ties_half_and_needs_both_classes() -> None:
    assert auc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
    assert auc(np.array([2.0, 1.0]), np.array([True, False])) == 1.0
    assert auc(np.array([2.0, 1.0]), np.array([True, True])) is None


def test_direction_ignores_rows_that_did_not_move() -> None:
    probabilities = np.array([[0.1, 0.0, 0.9], [0.9, 0.0, 0.1], [0.9, 0.0, 0.1]])
    assert direction_auc(probabilities, np.array([2, 0, 1], np.int8)) == 1.0


def test_the_baseline_names_the_majority_of_the_known_part() -> None:
    known, label = np.array([1, 1, 2, 0], np.int8), np.array([1, 2], np.int8)
    result = baseline(known, label)
    assert (result.accuracy, result.auc_up, result.auc_down) == (0.5, 0.5, None)
    assert result.log_loss == pytest.approx(-(np.log(0.5) + np.log(0.25)) / 2)


def test_a_few_blocks_of_time_leave_the_direction_uncertain() -> None:
    random = np.random.default_rng(4)
    label = np.repeat(random.choice([0, 2], 40), 100).astype(np.int8)
    lean = np.repeat(random.normal(size=40), 100) + 0.5 * (label - 1)
    p = np.column_stack([0.5 - lean / 20, np.zeros(4_000), 0.5 + lean / 20])
    time = np.arange(4_000) * 6_000_000
    dependent = direction_range(p, label, time, 60_000_000)
    pretended = direction_range(p, label, time, 600_000)
    assert dependent is not None
    assert pretended is not None
    assert dependent[1] - dependent[0] > 4 * (pretended[1] - pretended[0])
    assert direction_range(p, np.ones(4_000, np.int8), time, 60_000_000) is None
