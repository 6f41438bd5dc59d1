import pytest
from msgspec.structs import replace

from adapters.mt5.venue.venue import Specification
from execution.journal.position import Position
from execution.order_path.quotes import Quote
from execution.order_path.trailing import reach, wanted
from tests.unit.execution.desk import KEY

RULES = Specification(5, 1e-5, 0.01, 100.0, 0.01)
LONG = Position(
    ticket=1, key=KEY, volume=0.1, price=1.1, stop_price=1.09, opened_us=0, order_id="o",
    signal_id="s", horizon_us=0, trail=0.005,
)  # fmt: skip
SHORT = Position(
    ticket=1, key=KEY, volume=-0.1, price=1.1, stop_price=1.11, opened_us=0, order_id="o",
    signal_id="s", horizon_us=0, trail=0.005,
)  # fmt: skip


def quote(price: float) -> Quote:
    return Quote(0, price, price + 1e-4, 0.0)


def test_it_follows_the_price_at_which_the_position_would_close() -> None:
    assert wanted(LONG, quote(1.1), RULES, 0.1) == pytest.approx(1.095)
    assert wanted(SHORT, quote(1.1), RULES, 0.1) == pytest.approx(1.1051)


@pytest.mark.parametrize("price", [1.08, 1.09, 1.095, 1.0954])
def test_it_never_loosens_and_waits_for_a_step(price: float) -> None:
    assert wanted(LONG, quote(price), RULES, 0.1) is None


def test_a_stop_keeps_the_venues_distance_also_when_asked_for_less() -> None:
    far = replace(RULES, stops_distance=0.008)
    assert wanted(LONG, quote(1.1), far, 0.1) == pytest.approx(1.092)


def test_it_is_left_alone_while_the_market_is_within_the_freeze_level() -> None:
    frozen = replace(RULES, freeze_distance=0.002)
    assert wanted(LONG, quote(1.1), frozen, 0.1) is not None
    near = replace(LONG, take_profit=1.1015)
    assert wanted(near, quote(1.1), frozen, 0.1) is None


def test_rounding_never_brings_it_nearer() -> None:
    odd = replace(LONG, trail=0.0050004)
    assert wanted(odd, quote(1.1), RULES, 0.1) == pytest.approx(1.09499)


@pytest.mark.parametrize("position", [LONG, SHORT])
def test_no_stop_is_wanted_before_the_reach(position: Position) -> None:
    level, sign = reach(position, RULES, 0.1), 1 if position.volume > 0 else -1
    cost = 0.0 if position.volume > 0 else 1e-4
    assert wanted(position, quote(level - cost - sign * 2e-5), RULES, 0.1) is None
    assert wanted(position, quote(level - cost + sign * 2e-5), RULES, 0.1) is not None
