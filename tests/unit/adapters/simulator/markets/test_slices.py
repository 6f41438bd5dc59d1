"""Slices: complete, bounded, in market time, the same whenever they are read."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulator.markets.recorded import RecordedMarket
from core.errors import InputError
from tests.support.markets import ArrayTicks, ticks

TIMES = st.lists(st.integers(1, 90), max_size=60)


def feeds(*times: list[int], chunk: int = 4) -> list[ArrayTicks]:
    arrays = [ticks([(t, i + 1.0, i + 2.0) for i, t in enumerate(column)]) for column in times]
    return [ArrayTicks(f"s{n}", "EURUSD", array, chunk) for n, array in enumerate(arrays)]


def all_slices(market: RecordedMarket) -> list[Any]:
    result = []
    while (part := market.slice(len(result) + 1)) is not None:
        result.append(part)
    return result


@settings(max_examples=150, deadline=None)
@given(TIMES, TIMES, st.integers(1, 9), st.integers(0, 100), st.integers(1, 7))
def test_slices_hold_every_row_once_in_source_order(
    one: list[int], two: list[int], most: int, cut: int, chunk: int
) -> None:
    market = RecordedMarket(feeds(one, two, chunk=chunk), max_ticks=most, cut_msc=cut)
    parts = all_slices(market)
    ends = [part.end_msc for part in parts]
    assert ends == sorted(ends)
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True] * bool(parts)
    for feed, times in zip(market.feeds(), (one, two), strict=True):
        read = [market.slice_ticks(part.number, *feed) for part in parts]
        assert all(len(rows) <= most for rows in read)
        joined = [int(t) for rows in read for t in rows["time_msc"]]
        assert joined == times
        newest = np.maximum.accumulate([*times, 0])
        at = 0
        for part, rows in zip(parts, read, strict=True):
            assert all(newest[at : at + len(rows)] <= part.end_msc)
            at += len(rows)


@settings(max_examples=60, deadline=None)
@given(TIMES, st.integers(1, 9), st.lists(st.integers(1, 60), max_size=20))
def test_a_slice_read_again_in_any_order_is_the_same(
    times: list[int], most: int, order: list[int]
) -> None:
    fresh = RecordedMarket(feeds(times), max_ticks=most)
    straight = [fresh.slice_ticks(part.number, "s0", "EURUSD") for part in all_slices(fresh)]
    again = RecordedMarket(feeds(times), max_ticks=most)
    for number in order:
        wanted = straight[number - 1] if number <= len(straight) else ticks([])
        assert again.slice_ticks(number, "s0", "EURUSD").tobytes() == wanted.tobytes()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=2, max_size=60), st.integers(1, 9), st.data())
def test_the_training_cut_is_the_end_of_a_slice(times: list[int], most: int, data: Any) -> None:
    times = sorted(times)
    cut = data.draw(st.integers(times[0], times[-1]))
    market = RecordedMarket(feeds(times), max_ticks=most, cut_msc=cut)
    parts = all_slices(market)
    assert cut in [part.end_msc for part in parts]
    trained = [part for part in parts if part.training]
    rows = [
        int(t) for p in trained for t in market.slice_ticks(p.number, "s0", "EURUSD")["time_msc"]
    ]
    assert rows == [t for t in times if t <= cut]


def test_slices_end_before_the_first_tick_that_does_not_fit() -> None:
    market = RecordedMarket(feeds([1, 2, 3, 4, 5], [3, 9]), max_ticks=2)
    assert [(p.number, p.end_msc, p.last) for p in all_slices(market)] == [
        (1, 2, False),
        (2, 4, False),
        (3, 9, True),
    ]


def test_there_is_no_slice_outside_the_recording() -> None:
    market = RecordedMarket(feeds([1, 2]))
    assert market.slice(0) is None
    assert market.slice(2) is None
    assert len(market.slice_ticks(2, "s0", "EURUSD")) == 0
    assert len(market.slice_ticks(1, "nobody", "EURUSD")) == 0
    assert RecordedMarket([]).slice(1) is None


def test_two_files_of_one_feed_are_refused() -> None:
    with pytest.raises(InputError, match="one file"):
        RecordedMarket(feeds([1]) + feeds([2]))
