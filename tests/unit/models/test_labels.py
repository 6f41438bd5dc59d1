import numpy as np
import pytest

from models.labels import LabelRule, labels, labels_by_feed, later_rows

S = 1_000_000
RULE = LabelRule(horizon_us=10 * S, tolerance_us=4 * S, gap_us=60 * S)


def times(*seconds: float) -> np.ndarray:
    return np.array([round(second * S) for second in seconds], np.int64)


def test_the_later_row_is_the_last_at_or_before_the_horizon() -> None:
    time = times(0, 1, 9, 10, 10.5, 11, 20, 30)
    #     due:   10 11 19 20  20.5  21  30  40 (beyond the data)
    assert later_rows(time, RULE).tolist() == [3, 5, -1, 6, 6, 6, 7, -1]


def test_classes_by_a_hand_worked_example() -> None:
    time = times(0, 10, 20, 30, 40, 50, 60)
    mid = np.array([1.0, 1.3, 1.1, 1.0, 1.2, 1.0, 1.0])
    spread = np.array([0.2, 0.1, 0.2, 0.1, 0.3, 0.1, 0.1])
    # moves:            +.3, -.2, -.1, +.2, -.2, 0 and the last has no later row
    assert labels(time, mid, spread, RULE).tolist() == [2, 0, 1, 2, 1, 1, -1]


def test_a_commission_and_more_spreads_raise_the_bar() -> None:
    time, mid, spread = times(0, 10), np.array([1.0, 1.25]), np.array([0.1, 0.1])
    assert labels(time, mid, spread, RULE)[0] == 2
    assert labels(time, mid, spread, RULE._replace(commission=0.2))[0] == 1
    assert labels(time, mid, spread, RULE._replace(spreads=3.0))[0] == 1


def test_a_crossed_quote_costs_nothing_instead_of_less() -> None:
    time, mid, spread = times(0, 10), np.array([1.0, 1.0]), np.array([-0.5, -0.5])
    assert labels(time, mid, spread, RULE)[0] == 1


def test_nothing_is_labelled_across_a_closed_market() -> None:
    rule = LabelRule(horizon_us=3600 * S, tolerance_us=3000 * S, gap_us=300 * S)
    time = times(0, 100, 200, 2900, 3000, 3600, 3700)
    assert later_rows(time, rule).tolist() == [-1] * 7
    assert later_rows(time, rule._replace(gap_us=3000 * S)).tolist()[:2] == [5, 6]


def test_feeds_never_answer_for_each_other() -> None:
    time = np.concatenate([times(0, 10), times(0, 10)])
    mid, spread = np.array([1.0, 1.0, 5.0, 9.0]), np.full(4, 0.1)
    feed = np.array([0, 0, 1, 1], np.int32)
    assert labels_by_feed(feed, time, mid, spread, RULE).tolist() == [1, -1, 2, -1]


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_have_no_labels(rows: int) -> None:
    nothing = np.zeros(rows)
    assert labels(nothing.astype(np.int64), nothing, nothing, RULE).tolist() == [-1] * rows
