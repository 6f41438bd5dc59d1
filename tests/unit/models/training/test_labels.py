import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.labels import LabelRule, MidSeries, labels, labels_by_feed, later_rows

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


def slow_label(row_us: int, mid: float, spread: float, quotes: MidSeries) -> int:
    """The rule said in words, quote by quote."""
    due, observed = row_us + RULE.horizon_us, quotes.time_us.tolist()
    if not observed or observed[0] > row_us or due > observed[-1]:
        return -1
    as_of = max(n for n, t in enumerate(observed) if t <= due)
    if observed[as_of] < due - RULE.tolerance_us:
        return -1
    path = [t for t in observed if max(s for s in observed if s <= row_us) <= t <= observed[as_of]]
    if any(b - a > RULE.gap_us for a, b in itertools.pairwise(path)):
        return -1
    move = quotes.mid[as_of] - mid
    return 2 if move > max(spread, 0.0) else 0 if move < -max(spread, 0.0) else 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_are_answered_by_the_newest_tick_as_a_slow_search_finds_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    gaps = random.choice([0, 1, 2, 5, 61], 80, p=[0.2, 0.4, 0.3, 0.08, 0.02])
    quotes = MidSeries(np.cumsum(gaps) * S, 1.0 + np.cumsum(random.integers(-1, 2, 80)) * 0.1)
    at = np.sort(random.choice(80, 25, replace=False))
    time = quotes.time_us[at] + random.choice([0, S // 2], 25)
    time.sort()
    mid, spread = quotes.mid[at], random.choice([-0.1, 0.05, 0.25], 25)
    result = labels(time, mid, spread, RULE, quotes)
    rows = zip(time.tolist(), mid, spread, strict=True)
    assert result.tolist() == [slow_label(t, m, s, quotes) for t, m, s in rows]


def test_no_answer_looks_beyond_the_last_tick_that_is_known() -> None:
    quotes = MidSeries(times(*range(60)), np.linspace(1.0, 2.0, 60))
    time, mid, spread = quotes.time_us[::7], quotes.mid[::7], np.full(9, 0.01)
    complete = labels(time, mid, spread, RULE, quotes)
    for known in (20, 33, 59):
        cut = MidSeries(quotes.time_us[:known], quotes.mid[:known])
        part = labels(time, mid, spread, RULE, cut)
        answered = time + RULE.horizon_us <= cut.time_us[-1]
        assert part.tolist() == np.where(answered, complete, -1).tolist()


def test_feeds_are_answered_by_their_own_ticks() -> None:
    time, feed = np.concatenate([times(0), times(0)]), np.array([0, 1], np.int32)
    up, down = (MidSeries(times(0, 10), np.array([1.0, 1.0 + way])) for way in (0.5, -0.5))
    result = labels_by_feed(feed, time, np.ones(2), np.full(2, 0.1), RULE, (up, down))
    assert result.tolist() == [2, 0]
