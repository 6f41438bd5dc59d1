import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from execution.order_path.full_position import Money, full_lots, kelly_share, lots_at_risk, steady
from execution.risk.limits import Limits

MONEY = Money(100_000.0, 100_000.0, 1.0)
VOLATILITY = Limits(sizing="volatility", risk_share=0.005, max_sized_lots=50.0)
KELLY = Limits(sizing="kelly", kelly_fraction=0.25, kelly_cap=0.01, max_sized_lots=50.0)


def test_a_position_loses_its_share_of_equity_at_the_stop() -> None:
    assert lots_at_risk(0.005, 0.0010, MONEY) == pytest.approx(5.0)  # 500 of 100,000
    assert lots_at_risk(0.005, 0.0020, MONEY) == pytest.approx(2.5)  # twice as wild: half
    assert lots_at_risk(0.005, 0.10, Money(100_000.0, 100_000.0, 0.01)) == pytest.approx(5.0)


def test_without_a_rate_there_is_no_size_and_what_is_no_number_is_none() -> None:
    assert lots_at_risk(0.005, 0.001, MONEY._replace(rate=None)) is None
    assert full_lots(VOLATILITY, 0.6, 0.001, MONEY._replace(rate=None)) is None
    for distance in (0.0, math.nan, -1.0):
        assert lots_at_risk(0.005, distance, MONEY) == 0.0
    assert lots_at_risk(0.005, 0.001, MONEY._replace(equity=-5.0)) == 0.0


def test_kelly_is_that_of_the_paper() -> None:
    assert kelly_share(0.6, 1.0) == pytest.approx(0.2)
    assert kelly_share(0.5, 2.0) == pytest.approx(0.25)
    assert kelly_share(0.5, 1.0) == kelly_share(0.3, 1.0) == 0.0
    assert kelly_share(math.nan, 1.0) == kelly_share(1.1, 1.0) == kelly_share(0.9, 0.0) == 0.0


def test_kelly_grows_fastest() -> None:
    def growth(share: float) -> float:
        return 0.6 * math.log1p(share * 1.5) + 0.4 * math.log1p(-share)

    best = kelly_share(0.6, 1.5)
    assert growth(best) > max(growth(best - 0.01), growth(best + 0.01))


def test_confidence_is_weighed_and_capped() -> None:
    assert full_lots(KELLY, 0.51, 0.001, MONEY) == pytest.approx(5.0)  # a quarter of 2 %
    assert full_lots(KELLY, 0.9, 0.001, MONEY) == pytest.approx(10.0)  # the cap of 1 %
    assert full_lots(KELLY, 0.4, 0.001, MONEY) == 0.0
    assert full_lots(replace(KELLY, max_sized_lots=3.0), 0.9, 0.001, MONEY) == 3.0


@given(st.floats(), st.floats(allow_nan=True), st.sampled_from([VOLATILITY, KELLY]))
def test_no_input_gives_more_than_the_cap_or_less_than_nothing(
    confidence: float, distance: float, limits: Limits
) -> None:
    lots = full_lots(limits, confidence, distance, MONEY)
    assert lots is not None
    assert 0.0 <= lots <= limits.max_sized_lots


def test_a_held_position_is_only_resized_for_more_than_a_share_of_it() -> None:
    assert steady(1.2, 1.0, 0.25) == 1.0
    assert steady(1.3, 1.0, 0.25) == 1.3
    assert steady(-1.0, 1.0, 0.25) == -1.0
    assert steady(0.5, 0.0, 0.25) == 0.5
