"""Odd orders among usual ones: each is named for what is odd about it, and none by later ones."""

from dataclasses import dataclass

import numpy as np
import pytest

from quality.own_orders import ALERT, OwnOrder, Score, scored

DAY, HOUR, MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000
BEGIN = 1_762_300_800_000_000  # 5 November 2025, 00:00 UTC


@dataclass
class Day:
    """Usual entries between 08:00 and 16:00, and what is added to them."""

    number: int = 0

    def order(self, at_us: int, **changes: object) -> OwnOrder:
        self.number += 1
        usual = OwnOrder(
            run_id="r", mode="live", account="a", strategy="s", source="oanda", symbol="EURUSD",
            order_id=f"{self.number:04d}", ts_event_us=at_us, side="buy", volume=0.1, mid=1.1,
            traded=0.1 * 1.10005, filled=0.1,
        )  # fmt: skip
        return usual._replace(**changes)


def usual(day: Day, days: int = 20) -> list[OwnOrder]:
    rng = np.random.default_rng(3)
    orders = []
    for number in range(days):
        for step in range(24):
            at = BEGIN + number * DAY + 8 * HOUR + step * 20 * MINUTE + int(rng.integers(MINUTE))
            for again in range(1 + (rng.random() < 0.05)):
                lots = round(float(rng.lognormal(-2.3, 0.2)), 2)
                price = 1.1 * (1 + rng.normal(0.4, 0.15) / 1e4)
                filled = {"volume": lots, "traded": lots * price, "filled": lots}
                orders.append(day.order(at + again * 20_000_000, **filled))
    return orders


def of(added: list[OwnOrder], before: list[OwnOrder]) -> list[Score]:
    since = added[0].ts_event_us
    orders = sorted([*before, *added], key=lambda order: order.ts_event_us)
    return scored(orders, since)


@pytest.mark.parametrize(
    ("changes", "at_h", "reason"),
    [
        ({"volume": 0.8, "traded": 0.8 * 1.10005, "filled": 0.8}, 10, "size"),
        ({}, 3, "hour"),
        ({"traded": 0.1 * 1.1 * 1.0004}, 10, "slippage"),
    ],
)
def test_an_odd_order_is_named_for_what_is_odd(changes: dict, at_h: int, reason: str) -> None:
    day = Day()
    before = usual(day)
    [score] = of([day.order(BEGIN + 21 * DAY + at_h * HOUR, **changes)], before)
    assert (score.reason, score.score > ALERT) == (reason, True)
    assert score.trained_on == len(before)


def test_usual_orders_are_no_alert() -> None:
    day = Day()
    orders = usual(day, 24)
    scores = scored(orders, BEGIN + 20 * DAY)
    assert len(scores) > 90
    assert sum(score.score > ALERT for score in scores) <= 1  # the oddest of them, perhaps


def test_the_same_again_and_again_is_repetition() -> None:
    day = Day()
    before, at = usual(day), BEGIN + 21 * DAY + 10 * HOUR
    scores = of([day.order(at + n * 1_000_000) for n in range(12)], before)
    assert scores[-1].repeats == 11
    assert (scores[-1].reason, scores[-1].score) == ("repeats", 1.0)
    assert scores[0].score < ALERT
    other = of([day.order(at + n * 1_000_000, side="sell") for n in range(2)], before)
    assert other[0].repeats == 0


def test_the_forest_finds_what_no_rule_names() -> None:
    """Each figure is within its rule, and together they are like nothing before."""
    day = Day()
    before = usual(day)
    at = BEGIN + 21 * DAY + 15 * HOUR
    near = [day.order(at - n * 1_000_000) for n in (2, 1)]
    odd = day.order(at, volume=0.3, filled=0.3, traded=0.3 * 1.1 * (1 - 2e-4))
    score = of([*near, odd], before)[-1]
    assert score.rule_score < ALERT
    assert score.forest_score > ALERT
    assert score.reason == "forest"


def test_a_score_knows_nothing_later_and_repeats_to_the_bit() -> None:
    day = Day()
    before = usual(day)
    first = day.order(BEGIN + 21 * DAY + 10 * HOUR, volume=0.3)
    later = [day.order(first.ts_event_us + n * MINUTE, volume=5.0) for n in range(1, 40)]
    alone, among = of([first], before), of([first, *later], before)
    assert among[0] == alone[0]
    assert of([first, *later], before) == among


def test_few_orders_and_none_say_nothing() -> None:
    day = Day()
    assert scored([], 0) == []
    [score] = of([day.order(BEGIN + 9 * HOUR, volume=9.0, filled=0.0, mid=0.0)], [])
    assert (score.score, score.reason, score.forest_score) == (0.0, "", -1.0)
