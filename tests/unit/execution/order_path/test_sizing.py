import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mt5.venue.venue import Specification
from execution.journal.position import Key, Position
from execution.order_path.sizing import Leg, Plan, plan, wanted_volume

RULES = Specification(5, 1e-5, 0.01, 50.0, 0.01)


def held(*volumes: float) -> list[Position]:
    key = Key("s", "oanda", "EURUSD")
    return [
        Position(
            ticket=n,
            key=key,
            volume=volume,
            price=1.1,
            stop_price=1.0,
            opened_us=0,
            order_id=f"o{n}",
            signal_id="s1",
            horizon_us=0,
        )
        for n, volume in enumerate(volumes, 1)
    ]


@pytest.mark.parametrize(
    ("target", "lots", "volume"),
    [(1, 0.1, 0.1), (-1, 0.1, -0.1), (0.5, 0.1, 0.05), (0.99, 0.1, 0.09), (0.29, 1.0, 0.29),
     (0.05, 0.1, 0.0), (0, 0.1, 0.0)],
)  # fmt: skip
def test_a_target_is_rounded_towards_zero_to_the_lot_step(
    target: float, lots: float, volume: float
) -> None:
    assert wanted_volume(target, lots, 0.01) == volume


@pytest.mark.parametrize(
    ("target", "positions", "legs"),
    [
        (1.0, (), (Leg("buy", 0.1, 0),)),
        (1.0, (0.1,), ()),
        (1.0, (0.04,), (Leg("buy", 0.06, 0),)),
        (0.5, (0.04, 0.06), (Leg("sell", 0.04, 1), Leg("sell", 0.01, 2))),
        (0.0, (0.04, 0.06), (Leg("sell", 0.04, 1), Leg("sell", 0.06, 2))),
        (-1.0, (0.1,), (Leg("sell", 0.1, 1), Leg("sell", 0.1, 0))),
        (1.0, (-0.1,), (Leg("buy", 0.1, 1), Leg("buy", 0.1, 0))),
        (-0.05, (0.1,), (Leg("sell", 0.1, 1),)),  # too small to open, but the other side closes
        (0.0, (), ()),
    ],
)
def test_the_difference_is_traded_and_a_reversal_closes_first(
    target: float, positions: tuple[float, ...], legs: tuple[Leg, ...]
) -> None:
    planned = plan(target, 0.1, held(*positions), RULES)
    assert planned.legs == legs
    assert not planned.too_small


def test_less_than_the_venue_takes_is_too_small() -> None:
    assert plan(0.05, 0.1, [], RULES) == Plan((), True, 0.005)
    coarse = Specification(5, 1e-5, 0.10, 50.0, 0.01)
    assert plan(1.0, 0.1, held(0.04), coarse).too_small


volumes = st.lists(st.integers(-20, 20).filter(bool).map(lambda n: n / 100), max_size=4)


@given(st.floats(-1, 1), volumes)
def test_carrying_out_a_plan_holds_the_target(target: float, positions: list[float]) -> None:
    book = {p.ticket: p.volume for p in held(*positions)}
    opened = 0.0
    for leg in plan(target, 0.1, held(*positions), RULES).legs:
        signed = leg.volume if leg.side == "buy" else -leg.volume
        if leg.ticket:
            assert abs(book[leg.ticket] + signed) < abs(book[leg.ticket])  # only ever reduces
            book[leg.ticket] += signed
        else:
            opened += signed
    expected = wanted_volume(target, 0.1, RULES.volume_step)
    assert sum(book.values()) + opened == pytest.approx(expected, abs=1e-9)
