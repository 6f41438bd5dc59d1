import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.training.folds import walk_forward
from models.training.weights import member_weights, recent_skill, uniqueness


@given(
    seed=st.integers(0, 2**32), folds=st.integers(1, 6), embargo=st.integers(0, 50),
    count=st.integers(20, 300),
)  # fmt: skip
def test_nothing_trained_on_is_known_only_within_what_is_tested(seed, folds, embargo, count):
    random = np.random.default_rng(seed)
    time = random.integers(0, 1_000, count)  # several feeds: not in order
    end = time + random.integers(1, 60, count)
    tested = []
    for train, test in walk_forward(time, end, folds, embargo):
        begins = time[test].min()
        assert (end[train] + embargo < begins).all()
        tested += test.tolist()
    assert len(tested) == len(set(tested))


def test_folds_walk_forward_over_the_whole_span():
    time = np.arange(400)
    result = walk_forward(time, time + 10, 3, 5)
    assert [(len(f.train), f.test.min(), f.test.max()) for f in result] == [
        (85, 100, 199), (185, 200, 299), (285, 300, 399),
    ]  # fmt: skip


def test_a_row_alone_is_unique_and_overlapping_answers_share():
    time = np.array([0, 10, 20, 30])
    assert uniqueness(time, time + 5).tolist() == [1.0, 1.0, 1.0, 1.0]
    assert uniqueness(time, time + 10).tolist() == [0.75, 0.5, 0.5, 0.5]
    dense = uniqueness(np.arange(1_000), np.arange(1_000) + 60)
    assert abs(dense[500] - 1 / 61) < 1e-3


def test_members_weigh_by_recent_skill_and_nobody_is_silenced_for_ever():
    assert member_weights({"a": 0.03, "b": 0.01}) == {"a": 0.75, "b": 0.25}
    result = member_weights({"a": 0.1, "b": -5.0})
    assert 0.04 < result["b"] < 0.05
    assert member_weights({"a": -1.0, "b": 0.0}) == {"a": 0.5, "b": 0.5}
    old_good = recent_skill(np.r_[np.zeros(50), np.ones(50)], np.full(100, 0.5), np.arange(100))
    assert old_good < 0
