"""A challenger is proposed only when it is better beyond chance, in Brier score and in money."""

import numpy as np

from models.monitoring.compare import chance, compare
from models.monitoring.outcomes import Outcomes

HORIZON = 60_000_000


def outcomes(skill: float, seed: int = 1, rows: int = 40_000, earned: float = 0.0) -> Outcomes:
    """Rows of one feed, one a second; every 60th opens a position."""
    truth = np.random.default_rng(9).integers(0, 3, rows)
    p = np.full((rows, 3), (1 - skill) / 3)
    p[np.arange(rows), truth] += skill
    p += np.random.default_rng(seed).normal(0, 0.01, p.shape)
    net = np.full(rows, np.nan)
    net[::60] = np.random.default_rng(9).normal(0, 1.0, len(net[::60])) + earned
    return Outcomes(
        np.zeros(rows, np.int32),
        np.arange(rows) * 1_000_000,
        p.astype(np.float32),
        np.zeros((rows, 1, 3), np.float32),
        np.zeros(rows, bool),
        truth.astype(np.int8),
        net,
    )


def test_a_better_challenger_is_proposed_with_its_significance() -> None:
    result = compare(outcomes(0.1), outcomes(0.2, seed=2, earned=1.0), HORIZON, 200)
    assert result.proposed
    assert result.decisions == 667
    assert result.brier_p == result.net_p == 0.0
    assert "p = 0.000" in result.reason


def test_the_same_model_is_not_proposed() -> None:
    result = compare(outcomes(0.1), outcomes(0.1), HORIZON, 200)
    assert not result.proposed
    assert "Brier score is not better" in result.reason


def test_better_probabilities_that_earn_no_more_are_not_proposed() -> None:
    result = compare(outcomes(0.1), outcomes(0.2, seed=2), HORIZON, 200)
    assert not result.proposed
    assert "net P&L is not better" in result.reason


def test_too_few_decisions_are_not_proposed() -> None:
    result = compare(outcomes(0.1), outcomes(0.2, earned=1.0), HORIZON, 700)
    assert not result.proposed
    assert "667" in result.reason


def test_only_rows_that_both_predicted_count() -> None:
    late = outcomes(0.2)
    late = late._replace(**{n: getattr(late, n)[30_000:] for n in late._fields})
    result = compare(outcomes(0.1), late, HORIZON, 10)
    assert result.rows == 10_000
    nothing = late._replace(label=np.full(10_000, -1, np.int8))
    assert compare(outcomes(0.1), nothing, HORIZON, 10).reason == "no row was predicted by both"


def test_dependent_rows_do_not_make_certainty() -> None:
    """A thousand rows of one lucky block are one observation."""
    advantage = np.r_[np.ones(1_000), np.zeros(9_000) - 0.05]
    block = np.arange(10_000) // 1_000
    assert chance(advantage, block) > 0.2
    assert chance(advantage, np.arange(10_000)) < 0.01
    assert chance(advantage, np.zeros(10_000, np.int64)) == 1.0
