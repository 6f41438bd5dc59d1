"""Months with a planted crash, correlation break or change of regime: right measures hold on them,
and measures that are broken on purpose fail, by Kupiec, Christoffersen and Basel's traffic light.

One month of each in `make test`, eight of each in the heavy suite.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

from risk.coverage_tests import Coverage, coverage
from risk.minutes import MINUTE_US
from risk.regimes import Regimes
from risk.value_at_risk import MEASURES
from tests.support.risk_months import DAYS, PLANTS, money, month, ratios

FOLLOWS = 60.0  # half-life, minutes, that is short enough for what is planted
MONTHS = 8


def judged(
    plant: str, seed: int, *, factor: float = 1.0, frozen: bool = False, every: int = 120
) -> dict[str, Coverage]:
    """Each measure's test; a figure times `factor` is broken on purpose."""
    series = ratios(month(seed, plant), money(plant), half_life=FOLLOWS, frozen=frozen, every=every)
    return {m: coverage((ratio > factor).tolist(), 0.95) for m, ratio in series.items()}


@pytest.mark.parametrize("plant", PLANTS)
def test_measures_that_follow_the_market_hold(plant: str) -> None:
    for measure, result in judged(plant, 12).items():
        assert result.kupiec > 0.05, measure
        assert result.holds(0.01), measure


@pytest.mark.parametrize("plant", PLANTS[1:])
def test_figures_that_are_never_computed_again_fail(plant: str) -> None:
    for measure, result in judged(plant, 12, frozen=True).items():
        assert not result.holds(0.01), measure
        assert result.zone == "red" or plant == "crash", measure


@pytest.mark.parametrize("plant", PLANTS)
def test_figures_of_half_the_size_fail(plant: str) -> None:
    for measure, result in judged(plant, 12, factor=0.5).items():
        assert not result.holds(0.01), measure
        assert result.zone == "red", measure


def test_figures_of_twice_the_size_fail_though_their_zone_is_green() -> None:
    for measure, result in judged("quiet", 12, factor=2.0).items():
        assert not result.holds(0.01), measure
        assert result.zone == "green", measure


def test_losses_in_a_row_are_told_from_as_many_scattered_ones() -> None:
    """A crash against figures of before: Christoffersen sees what a count alone cannot."""
    ratio = ratios(month(14, "crash"), money("crash"), frozen=True, every=60)["historical"]
    hits = (ratio > 2.0).tolist()
    scattered = np.random.default_rng(1).permutation(hits).tolist()
    assert coverage(hits, 0.95).independence < 0.001
    assert coverage(scattered, 0.95).independence > 0.05
    assert coverage(hits, 0.95).kupiec == coverage(scattered, 0.95).kupiec


def regimes(plant: str, seed: int) -> list[str]:
    """Of each quarter of an hour of the first feed."""
    fold, mid, names = Regimes(), 1.0, []
    for minute, move in enumerate(month(seed, plant)[:, 0].tolist(), 1):
        mid *= math.exp(move)
        regime = fold.minute(minute * MINUTE_US, mid)
        if regime:
            names.append(regime.name)
    return names


def test_a_planted_change_of_regime_is_named_within_two_hours() -> None:
    """And a crash is over when it is over."""
    half = DAYS * 48
    changed, crashed = regimes("regime", 12), regimes("crash", 12)
    assert "wild" in changed[half : half + 8]
    assert changed[half + 8 : half + 300].count("wild") > 280
    after = crashed[half + 3 * 96 + 8 : half + 5 * 96]
    assert crashed[half + 8 : half + 3 * 96].count("wild") > 270
    assert after.count("wild") < 30, "of two quiet days, some by chance"


@pytest.mark.heavy(suite="models")
@pytest.mark.parametrize("plant", PLANTS)
def test_over_many_months_right_measures_are_refused_seldom_and_broken_ones_often(
    plant: str,
) -> None:
    """Each hour of eight months, all four measures; a test at 5 % refuses some right ones."""

    def refused(judge: Callable[[int], dict[str, Coverage]]) -> dict[str, int]:
        results = [judge(seed) for seed in range(100, 100 + MONTHS)]
        return {m: sum(not r[m].holds(0.05) for r in results) for m in MEASURES}

    right = refused(lambda seed: judged(plant, seed, every=60))
    if plant == "quiet":
        halved = refused(lambda seed: judged(plant, seed, every=60, factor=0.5))
        assert set(halved.values()) == {MONTHS}
    else:
        frozen = refused(lambda seed: judged(plant, seed, every=60, frozen=True))
        assert set(frozen.values()) == {MONTHS}
    # Sixty minutes of a Student t are nearly normal: its quantile at 95 % is a little small then.
    assert right.pop("monte_carlo") <= MONTHS * 3 // 4
    assert max(right.values()) <= MONTHS // 2
    assert sum(right.values()) <= MONTHS * 3 // 2
