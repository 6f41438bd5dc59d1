"""Entries: one position per feed, held to its horizon, turned early only by the opposite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.sections import SignalSettings
from strategies.protocol import NOTHING_HELD, Held, ModelStrategy, entries
from strategies.select import select


def choose(targets, times=None, held=NOTHING_HELD, horizon_ms=10):
    times = np.arange(len(targets)) if times is None else np.array(times)
    return entries(held, times.astype(np.int64), np.array(targets, np.int8), horizon_ms)


def test_the_same_wish_is_held_until_the_horizon_and_then_entered_again():
    held, chosen = choose([1] * 25)
    assert chosen == [0, 10, 20]
    assert held == Held(1, 30)


def test_the_opposite_wish_turns_at_once():
    _, chosen = choose([1, 1, -1, -1, 1])
    assert chosen == [0, 2, 4]


def test_no_wish_leaves_what_is_held():
    held, chosen = choose([0, 0, 0], held=Held(1, 5))
    assert chosen == []
    assert held == Held(1, 5)


@given(
    targets=st.lists(st.sampled_from([-1, 0, 1]), max_size=60),
    steps=st.lists(st.integers(0, 7), min_size=60, max_size=60),
    cut=st.integers(0, 60),
)
def test_cutting_the_rows_anywhere_changes_nothing(targets, steps, cut):
    times = np.cumsum(steps)[: len(targets)]
    held, whole = choose(targets, times)
    cut = min(cut, len(targets))
    middle, first = choose(targets[:cut], times[:cut])
    last, second = choose(targets[cut:], times[cut:], middle)
    assert (last, first + [cut + i for i in second]) == (held, whole)


@given(
    targets=st.lists(st.sampled_from([-1, 0, 1]), max_size=60),
    steps=st.lists(st.integers(0, 7), min_size=60, max_size=60),
    held=st.builds(Held, st.sampled_from([-1, 0, 1]), st.integers(0, 90)),
)
def test_many_rows_are_entered_as_one_after_the_other(targets, steps, held):
    times = np.cumsum(steps)[: len(targets)]
    after, expected = held, []
    for n, target in enumerate(targets):
        after, chosen = choose([target], [times[n]], after)
        expected += [n] * len(chosen)
    assert choose(targets, times, held) == (after, expected)


def test_a_model_wishes_only_from_the_threshold_on():
    probabilities = np.array([[0.6, 0.3, 0.1], [0.3, 0.3, 0.4], [0.1, 0.2, 0.7]], np.float32)
    targets = ModelStrategy(SignalSettings(threshold=0.55)).targets(
        np.zeros((3, 1), np.float32), probabilities
    )
    assert targets.direction.tolist() == [-1, 0, 1]


def test_without_a_model_there_is_no_wish():
    targets = ModelStrategy(SignalSettings()).targets(np.zeros((3, 1), np.float32), None)
    assert not targets.direction.any()


def test_an_unknown_strategy_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="known: model, scripted"):
        select("martingale", SignalSettings())
