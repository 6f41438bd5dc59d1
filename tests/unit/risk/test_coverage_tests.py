"""Coverage tests against scipy's likelihoods and the tables that they were published with."""

import numpy as np
import pytest
from scipy.stats import binom, chi2

from risk.coverage_tests import coverage, traffic_light


def test_kupiec_is_the_likelihood_ratio_of_two_binomials() -> None:
    hits = [k % 25 == 0 for k in range(250)]
    ratio = 2 * (binom.logpmf(10, 250, 10 / 250) - binom.logpmf(10, 250, 0.01))
    assert coverage(hits, 0.99).kupiec == pytest.approx(chi2.sf(ratio, 1), rel=1e-9)


@pytest.mark.parametrize(
    ("failed", "zone"), [(4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")]
)
def test_zones_are_those_of_the_basel_table(failed: int, zone: str) -> None:
    assert traffic_light(failed, 250, 0.01) == zone


def test_few_outcomes_without_an_exception_are_green() -> None:
    assert traffic_light(0, 3, 0.01) == "green"


def test_exceptions_in_a_row_are_told_from_as_many_scattered_ones() -> None:
    scattered = [k % 100 == 50 for k in range(1000)]
    in_a_row = [500 <= k < 510 for k in range(1000)]
    assert coverage(scattered, 0.99).independence > 0.5
    assert coverage(in_a_row, 0.99).independence < 1e-6
    assert coverage(scattered, 0.99).kupiec == coverage(in_a_row, 0.99).kupiec
    assert not coverage(in_a_row, 0.99).holds()


def test_no_exception_at_all_is_tested_too() -> None:
    assert coverage([False] * 1000, 0.99).kupiec < 0.001
    assert coverage([False] * 20, 0.99).holds()


def test_right_series_are_refused_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(1)
    refused = sum(coverage(rng.random(1000) < 0.05, 0.95).kupiec < 0.05 for _ in range(400))
    assert 5 <= refused <= 45


def test_nothing_to_test_is_an_error() -> None:
    with pytest.raises(ValueError, match="outcomes"):
        coverage([], 0.99)
