"""Orders that wait: what rows ask for, one of a name at a time, however they are cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import SettingsError
from core.sections import SignalSettings
from strategies.orders_form import (
    REST_MSC,
    Order,
    Orders,
    Waiting,
    asks_orders,
    checked,
    of_row,
    prices,
    requests,
)
from strategies.select import select

SECOND = 1_000
NOTHING = Waiting()


def seconds(count: int) -> Any:
    return np.arange(count, dtype=np.int64) * SECOND


def orders(direction: list[int], life_s: float = 10.0, **more: Any) -> Orders:
    away = np.full(len(direction), 5.0)
    (whole,) = checked(
        "dip", 60.0, Orders(np.array(direction), away, life_s=life_s, **more), len(direction)
    )
    return whole


def requested(
    one: Orders,
    waiting: Waiting = NOTHING,
    at: Any = None,
) -> list[tuple[int, str]]:
    count = len(one.direction)
    given = requests(waiting, seconds(count), one, at if at is not None else np.ones(count))
    return [(r.row, r.action) for r in given[1]]


def test_one_of_a_name_waits_at_a_time_until_its_life_is_over() -> None:
    assert requested(orders([0, 1, 1, 1] + [1] * 9)) == [(1, "place"), (11, "place")]


def test_the_other_side_takes_back_what_waits_and_comes_after_a_rest() -> None:
    rest = REST_MSC // SECOND
    assert requested(orders([1, 0, -1, -1] + [-1] * 9)) == [
        (0, "place"), (2, "cancel"), (2 + rest, "place"),
    ]  # fmt: skip


def test_it_follows_rows_whose_price_is_too_far_away() -> None:
    at = np.array([1.0, 1.0001, 1.0003, 1.0, 1.0, 1.0])
    one = orders([1, 1, 1, 0, 1, 1], follow_bp=2.0)
    assert requested(one, at=at) == [(0, "place"), (2, "modify"), (4, "modify")]
    assert requested(one._replace(follow_bp=None), at=at) == [(0, "place")]
    after, _ = requests(Waiting(), seconds(6), one, at)
    assert after == Waiting(1, 14_000, 1.0), "what moves waits for its life anew"


def test_a_cancel_ends_what_waits_and_nothing_else() -> None:
    cancel = np.array([True, False, False, True, True, False])
    assert requested(orders([0, 1, 0, 1, 0, 0], cancel=cancel)) == [(1, "place"), (3, "cancel")]


def test_rows_cut_anywhere_ask_for_the_same() -> None:
    rng = np.random.default_rng(5)
    count = 4_000
    direction = rng.choice([-1, 0, 0, 0, 1], count)
    cancel = rng.random(count) < 0.05
    price = 1.0 + rng.normal(size=count).cumsum() * 1e-4
    whole = orders(direction.tolist(), cancel=cancel, follow_bp=2.0)
    after, expected = requests(Waiting(), seconds(count), whole, price)
    assert {r.action for r in expected} == {"place", "modify", "cancel"}
    waiting, given, begin = b"", [], 0
    while begin < count:
        end = min(begin + int(rng.integers(1, 40)), count)
        part = orders(direction[begin:end].tolist(), cancel=cancel[begin:end], follow_bp=2.0)
        at, of = seconds(count)[begin:end], price[begin:end]
        left, some = requests(Waiting.of(waiting), at, part, of)
        waiting, begin, start = left.packed(), end, begin
        given += [one._replace(row=one.row + start) for one in some]
    assert given == expected
    assert Waiting.of(waiting) == after


@pytest.mark.parametrize("column", ["away_bp", "size", "stop_bp", "take_profit_bp"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e9])
def test_a_figure_that_is_none_is_no_order(column: str, value: float) -> None:
    if (column, value) == ("away_bp", -1e9):
        return  # a price that the market has reached: execution says so
    one = orders([1, 1])._replace(**{column: np.array([value, 5.0 if "bp" in column else 1.0])})
    assert requested(one) == [(1, "place")]


def test_prices_stand_on_the_side_of_their_kind() -> None:
    def price(direction: int, entry: str) -> float:
        one = Orders(np.array([direction]), np.array([10.0]), entry=entry)
        return float(prices(np.array([100.0001]), one, 2)[0])

    assert [price(1, "limit"), price(-1, "limit")] == [99.9, 100.1]
    assert [price(1, "stop"), price(-1, "stop")] == [100.1, 99.9]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "a b"}, "is not 1 to 32 letters"),
        ({"entry": "market"}, "entry 'market' is none of limit, stop"),
        ({"filling": "all"}, "filling 'all' is none of"),
        ({"expiry": "never"}, "expiry 'never' is none of"),
        ({"one_of": "a/b"}, "the group of an order, 'a/b', is not"),
        ({"life_s": 60.0}, "less than the horizon of 60 s"),
        ({"life_s": float("nan")}, "waits nan s"),
        ({"life_s": 1.0}, "at least 3 s"),
        ({"follow_bp": 0.0}, "follow_bp 0.0 is no distance"),
        ({"direction": np.array([2, 0])}, "a direction is -1, 0 or 1"),
        ({"size": np.ones(3)}, r"size of 'entry' has shape \(3,\)"),
    ],
)
def test_what_has_no_form_is_said(change: dict[str, Any], problem: str) -> None:
    one = Orders(np.zeros(2, np.int8), np.ones(2), life_s=10.0)._replace(**change)
    with pytest.raises(SettingsError, match=problem):
        checked("dip", 60.0, one, 2)


def test_two_of_one_name_and_things_that_are_no_orders_are_refused() -> None:
    one = orders([1])
    with pytest.raises(SettingsError, match="two Orders of one name"):
        checked("dip", 60.0, [one, one], 1)
    for wrong in (None, [None], np.zeros(1)):
        with pytest.raises(SettingsError, match="are not Orders"):
            checked("dip", 60.0, wrong, 1)
    with pytest.raises(SettingsError, match="are not Order"):
        of_row("dip", 60.0, [one])


def test_a_row_of_a_strategy_that_remembers_gives_one_or_several() -> None:
    buy, sell = Order(1, 5.0, name="up", life_s=10.0), Order(-1, 5.0, name="down", life_s=10.0)
    assert [o.name for o in of_row("s", 60.0, (buy, sell))] == ["up", "down"]
    (alone,) = of_row("s", 60.0, buy)
    assert alone.at(0) == buy


ORDERS_ONLY = """
import numpy as np
from tickhouse import Orders

class Dip:
    name, horizon_s, needs_model = "dip", 60.0, False
    def __init__(self, settings):
        pass
    def orders(self, rows, probabilities):
        return Orders(np.ones(len(rows)), np.full(len(rows), 5.0), life_s=10.0)
"""


def test_a_file_with_orders_alone_is_a_strategy_without_targets(tmp_path: Path) -> None:
    (tmp_path / "dip.py").write_text(ORDERS_ONLY)
    strategy = select("dip", SignalSettings(), tmp_path)
    assert asks_orders(strategy)
    assert not strategy.targets(np.zeros((3, 2), np.float32), None).direction.any()
    (tmp_path / "dip.py").write_text(ORDERS_ONLY.replace("return", "1 / 0 #"))
    with pytest.raises(SettingsError, match="orders\\(\\) failed: ZeroDivisionError"):
        select("dip", SignalSettings(), tmp_path).orders(np.zeros((3, 2), np.float32), None)
    assert not asks_orders(select("ema_cross", SignalSettings()))
