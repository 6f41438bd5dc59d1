import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.barriers import barrier_answers
from models.training.labels import LabelRule, MidSeries

RULE = LabelRule(horizon_us=5_000_000, spreads=2.0)


def answers(mid, times=None, spread=1.0, feed=None):
    count = len(mid)
    times = np.arange(count) if times is None else np.array(times)
    feed = np.zeros(count, np.int32) if feed is None else np.array(feed, np.int32)
    spreads = np.full(count, spread)
    return barrier_answers(feed, times * 1_000_000, np.array(mid, float), spreads, RULE)


def test_the_first_barrier_touched_is_the_answer_and_says_when():
    label, end = answers([10, 11, 13, 5, 5, 5, 5, 5])
    assert label[0] == 2
    assert end[0] == 2_000_000
    assert label[2] == 0
    assert end[2] == 3_000_000


def test_a_row_that_touches_nothing_is_flat_when_its_horizon_ends():
    label, end = answers([10] * 8)
    assert label.tolist() == [1, 1, -1, -1, -1, -1, -1, -1]
    assert end[0] == 5_000_000


def test_nothing_is_labelled_across_a_closed_market_or_another_feed():
    label, _ = answers([10, 10, 20], times=[0, 1, 5_000])
    assert label.tolist() == [-1, -1, -1]
    label, _ = answers([10, 20, 20], feed=[0, 1, 1])
    assert label.tolist() == [-1, -1, -1]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_answers_equal_a_slow_search(seed):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.choice([1, 2, 400], 60, p=[0.7, 0.28, 0.02]))
    mid = 100 + np.cumsum(random.integers(-1, 2, 60))
    label, end = answers(mid, times)
    for n in range(60):
        expected = (-1, times[n] * 1_000_000)
        for later in range(n + 1, 60):
            if times[later] - times[later - 1] > 300:
                break
            if times[later] > times[n] + 5:
                expected = (1, (times[n] + 5) * 1_000_000)
                break
            if abs(mid[later] - mid[n]) > 2:
                expected = (2 if mid[later] > mid[n] else 0, times[later] * 1_000_000)
                break
        assert (label[n], end[n]) == expected


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_barriers_are_touched_by_ticks_between_rows(seed):
    """Rows are a sample of the ticks: their answers are those that all ticks as rows would have."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.choice([1, 2, 400], 80, p=[0.7, 0.28, 0.02])) * 1_000_000
    mid = 100.0 + np.cumsum(random.integers(-1, 2, 80))
    every = answers(mid, times // 1_000_000)
    at = np.sort(random.choice(80, 20, replace=False))
    none, one = np.zeros(20, np.int32), np.ones(20)
    result = barrier_answers(none, times[at], mid[at], one, RULE, (MidSeries(times, mid),))
    assert result.label.tolist() == every[0][at].tolist()
    assert result.end_us.tolist() == every[1][at].tolist()
