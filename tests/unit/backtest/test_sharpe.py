import math

import numpy as np
import pytest

from backtest.sharpe import by_moments, deflated, expected_best, probabilistic, sharpe, sortino


def test_the_published_example_of_the_deflated_ratio_is_reproduced():
    """Bailey and Lopez de Prado 2014: yearly ratio 2.5 over 1250 days, 100 trials of variance
    1/2, skewness -3, kurtosis 10: expected best 0.1132 per day, deflated 0.9004."""
    best = expected_best(100, 0.5 / 250)
    assert best == pytest.approx(0.1132, abs=5e-5)
    assert by_moments(2.5 / math.sqrt(250), 1250, -3.0, 10.0, best) == pytest.approx(
        0.9004, abs=5e-5
    )


def test_ratios_of_three_returns_worked_by_hand():
    returns = np.array([0.01, -0.01, 0.03])  # mean 0.01, deviation 0.02
    assert sharpe(returns) == pytest.approx(0.5)
    assert sortino(returns) == pytest.approx(0.01 / math.sqrt(0.0001 / 3))


def test_returns_that_never_vary_have_no_ratio():
    flat = np.zeros(9)
    assert sharpe(flat) is sortino(flat) is probabilistic(0.0, flat) is deflated(flat, 5) is None
    assert sharpe(np.array([0.1])) is None


def test_one_trial_deflates_nothing_and_more_trials_deflate_more():
    returns = np.random.default_rng(7).normal(0.001, 0.01, 250)
    ratio = sharpe(returns)
    chances = [deflated(returns, trials) for trials in (1, 10, 1000)]
    assert chances[0] == probabilistic(ratio, returns)
    assert chances[0] > chances[1] > chances[2]


def test_without_skill_the_expected_best_is_that_of_simulated_trials():
    best = np.random.default_rng(7).normal(0.0, 0.2, (20_000, 50)).max(axis=1).mean()
    assert expected_best(50, 0.04) == pytest.approx(best, rel=0.02)


def test_the_probabilistic_ratio_holds_its_level_on_simulated_returns():
    """Of samples without skill one in ten should show more than 90 %."""
    samples = np.random.default_rng(7).normal(0.0, 0.01, (4_000, 120))
    shown = [probabilistic(sharpe(row), row) for row in samples]
    assert np.mean(np.array(shown) > 0.9) == pytest.approx(0.1, abs=0.015)
