"""Covariance: weights, shrinkage, holes, and matrices that are none."""

import numpy as np
import pytest

from risk import covariance as cov

FEEDS = (("x", "A"), ("x", "B"), ("x", "C"))


def returns(count: int, rho: float = 0.6, seed: int = 5) -> np.ndarray:
    matrix = np.full((3, 3), rho)
    np.fill_diagonal(matrix, 1.0)
    return np.random.default_rng(seed).multivariate_normal(np.zeros(3), matrix * 1e-8, count)


def test_weights_halve_over_a_half_life() -> None:
    w = cov.weights(100, 10.0)
    assert w.sum() == pytest.approx(1.0)
    assert w[-11] == pytest.approx(w[-1] / 2)


def test_long_memory_is_the_plain_mean_of_squares() -> None:
    data = returns(4000)
    known = cov.estimate(data, FEEDS, half_life=1e9, least=60)
    assert known.sigma == pytest.approx(np.sqrt((data**2).mean(axis=0)), rel=1e-6)
    assert known.correlation[0, 1] == pytest.approx(0.6, abs=0.05)


def test_shrinkage_is_that_of_schaefer_and_strimmer() -> None:
    """Equal weights: their formula as printed, over the products of standardised data."""
    data, count = returns(200), 200
    known = cov.estimate(data, FEEDS, half_life=1e12, least=60)
    z = data / np.sqrt((data**2).mean(axis=0))
    spread = total = 0.0
    for i in range(3):
        for j in range(3):
            if i != j:
                w = z[:, i] * z[:, j]
                spread += count / (count - 1) ** 3 * ((w - w.mean()) ** 2).sum()
                total += w.mean() ** 2
    assert known.shrinkage == pytest.approx(spread / total, rel=1e-6)


def test_little_data_is_shrunk_more() -> None:
    few, many = (cov.estimate(returns(n), FEEDS, half_life=1e9, least=60) for n in (70, 3000))
    assert 0 < many.shrinkage < few.shrinkage < 1


def test_holes_in_a_feed_leave_a_matrix_that_is_positive_definite() -> None:
    data = returns(300)
    data[:200, 1] = np.nan
    data[250:, 2] = np.nan
    known = cov.estimate(data, FEEDS, half_life=100.0, least=60)
    assert known.known == FEEDS
    assert np.linalg.eigvalsh(known.matrix / 1e-8).min() > 0


def test_a_feed_with_too_little_history_is_unknown() -> None:
    data = returns(300)
    data[:250, 0] = np.nan
    known = cov.estimate(data, FEEDS, half_life=100.0, least=60)
    assert known.unknown == FEEDS[:1]
    assert known.correlation.shape == (2, 2)


def test_what_is_not_positive_definite_is_repaired_and_says_so() -> None:
    broken = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    fixed, repaired = cov.nearest_correlation(broken)
    assert repaired
    assert np.diag(fixed) == pytest.approx(np.ones(3))
    assert np.linalg.eigvalsh(fixed).min() > 0
    assert cov.nearest_correlation(np.eye(3))[1] is False


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 3)), np.full((2, 2), np.nan), np.array([[1, 0.5], [0.1, 1]])]
)
def test_what_is_no_correlation_matrix_is_an_error(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="correlation matrix"):
        cov.nearest_correlation(wrong)


def test_the_path_of_volatility_is_its_recursion() -> None:
    data = returns(500)
    data[:100, 1] = np.nan
    path = cov.volatility_path(data, 50.0, 60)
    decay = 2 ** (-1 / 50)
    for column in range(3):
        own = data[:, column]
        variance = start = np.nanmean(own[np.isfinite(own)][:60] ** 2)
        for t in range(500):
            assert path[t, column] == pytest.approx(np.sqrt(variance), rel=1e-9)
            square = own[t] ** 2 if np.isfinite(own[t]) else start
            variance = decay * variance + (1 - decay) * square
