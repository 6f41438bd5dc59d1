"""Measures against closed forms."""

import numpy as np
import pytest
from scipy import stats

from risk import covariance as cov
from risk import value_at_risk as risk
from risk.exposure import Feed
from risk.minutes import Floats, History

A, B = ("x", "AAAUSD"), ("x", "BBBUSD")
HALF_LIFE, LEAST = 240.0, 60


def history(returns: Floats, feeds: tuple[Feed, ...] = (A, B)) -> History:
    first = np.zeros((1, returns.shape[1]))
    return History(feeds, np.exp(np.concatenate([first, np.cumsum(returns, axis=0)])))


def market(returns: Floats, feeds: tuple[Feed, ...] = (A, B)) -> risk.Scenarios:
    past = history(returns, feeds)
    known = cov.estimate(past.returns, feeds, half_life=HALF_LIFE, least=LEAST)
    return risk.scenarios(past, known, half_life=HALF_LIFE, least=LEAST)


def gaussian(count: int, seed: int = 3, rho: float = 0.5) -> Floats:
    matrix = np.array([[1.0, rho], [rho, 1.0]]) * 1e-4**2
    return np.random.default_rng(seed).multivariate_normal([0, 0], matrix, count)


def figure(rows: list[risk.Figure], measure: str, confidence: float, horizon: str) -> risk.Tail:
    return next(r.tail for r in rows if r[:3] == (measure, confidence, horizon))


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_normal_tail_is_the_integral_beyond_the_quantile(confidence: float) -> None:
    tail = risk.normal(1000.0, confidence)
    law = stats.norm(scale=1000.0)
    assert tail.var == pytest.approx(law.ppf(confidence))
    beyond = law.expect(lambda x: x, lb=law.ppf(confidence), conditional=True)
    assert tail.es == pytest.approx(beyond, rel=1e-6)


def test_empirical_tail_counts_the_worst_and_a_part_of_the_edge() -> None:
    losses = np.arange(1.0, 101.0)
    assert risk.empirical(losses)[0.95] == (95.0, pytest.approx(98.0))
    # 2.5 of 50: the two worst and half of the third.
    tail = risk.empirical(np.arange(1.0, 51.0))[0.95]
    assert tail == (48.0, pytest.approx((50 + 49 + 0.5 * 48) / 2.5))
    assert risk.empirical(losses)[0.99] == (99.0, pytest.approx(100.0))


def test_on_normal_returns_all_measures_come_near_the_closed_form() -> None:
    rows = risk.figures({A: 1e6, B: -5e5}, market(gaussian(20_000)))
    money = np.array([1e6, -5e5])
    true = np.sqrt(money @ (np.array([[1, 0.5], [0.5, 1]]) * 1e-8) @ money * 60)
    for measure in risk.MEASURES:
        for confidence in risk.CONFIDENCES:
            tail = figure(rows, measure, confidence, "1h")
            assert tail.var == pytest.approx(stats.norm.ppf(confidence) * true, rel=0.2), measure
            assert tail.es > tail.var


def test_a_day_is_the_root_of_24_hours() -> None:
    rows = risk.figures({A: 1e6}, market(gaussian(500)))
    hour, day = (figure(rows, "filtered", 0.99, h).var for h in ("1h", "1d"))
    assert day == pytest.approx(hour * 24**0.5)


def test_swap_is_added_as_certain() -> None:
    scenario = market(gaussian(500))
    free, paid = risk.figures({A: 1e6}, scenario), risk.figures({A: 1e6}, scenario, {"1d": 7.0})
    assert (
        figure(paid, "historical", 0.95, "1d").var == figure(free, "historical", 0.95, "1d").var + 7
    )
    assert figure(paid, "historical", 0.95, "1h") == figure(free, "historical", 0.95, "1h")


def test_a_feed_without_history_counts_in_full_at_the_largest_volatility() -> None:
    scenario = market(gaussian(500))
    rows = risk.figures({A: 1e6, ("x", "NEWUSD"): -2e5}, scenario)
    alone = risk.figures({A: 1e6}, scenario)
    worst = risk.normal(2e5 * float(scenario.covariance.sigma.max()), 0.99).var * 60**0.5
    for measure in risk.MEASURES:
        more = figure(rows, measure, 0.99, "1h").var - figure(alone, measure, 0.99, "1h").var
        assert more == pytest.approx(worst)


def test_nobody_with_a_history_is_an_error() -> None:
    with pytest.raises(ValueError, match="history"):
        risk.figures({A: 1e6}, market(gaussian(10)))


def test_zero_volatility_makes_a_feed_unknown() -> None:
    returns = gaussian(500)
    returns[:, 1] = 0.0
    scenario = market(returns)
    assert scenario.covariance.known == (A,)
    assert scenario.covariance.unknown == (B,)


def test_nothing_held_has_no_risk() -> None:
    assert {r.tail for r in risk.figures({}, market(gaussian(500)))} == {risk.Tail(0.0, 0.0)}


def test_contributions_sum_to_one_and_a_hedge_contributes_less() -> None:
    parts = risk.contributions({A: 1e6, B: -5e5}, market(gaussian(2000)).covariance)
    assert sum(parts.values()) == pytest.approx(1.0)
    assert parts[B] < 0.1 < parts[A]


def test_draws_are_student_of_variance_one_and_always_the_same() -> None:
    drawn = risk.student(risk.DRAWS, 3)
    assert drawn.std(axis=0) == pytest.approx(np.ones(3), rel=0.1)
    assert stats.kurtosis(drawn[:, 0]) > 1.0
    risk.student.cache_clear()
    assert np.array_equal(drawn, risk.student(risk.DRAWS, 3))
