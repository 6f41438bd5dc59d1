"""Quality rules: against a plain tick-by-tick reading of them, in any batches."""

import pickle
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.tick import CROSSED, LOCKED, OUT_OF_ORDER, SAME_MILLISECOND
from core.quality import EARLIEST_MSC, LATE_SEQ, REASONS, RECENT_MSC, FeedState

T0 = 1_400_000_000_000
NOW_US = (T0 + 100_000) * 1000
PRICES = st.sampled_from([1.1, 1.2, 1.100000004, 0.0, -1.0, 1e-9, np.nan, np.inf, 1e11])
GOOD_PRICES = st.sampled_from([1.1, 1.2, 1.3])
TIMES = st.one_of(
    st.integers(T0, T0 + 5),
    st.integers(T0, T0 + 4 * RECENT_MSC),
    st.sampled_from([0, EARLIEST_MSC - 1, T0 + 100_000, T0 + 100_001, 2**50]),
)
ROW = st.tuples(TIMES, st.one_of(GOOD_PRICES, PRICES), GOOD_PRICES)


def feed(state: FeedState, rows: list[Any]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    time, bid, ask, last, volume, flags = (
        np.array([row[i] for row in rows], kind)
        for i, kind in enumerate(("i8", "f8", "f8", "f8", "f8", "u4"))
    )
    return state.normalise(
        time, bid, ask, last, volume, flags,
        now_us=NOW_US, recv_us=time * 1000, future_tolerance_us=0,
    )  # fmt: skip


def row(time: int, bid: float = 1.1, ask: float = 1.2, last: float = 0.0, volume: float = 0.0):
    return (time, bid, ask, last, volume, 6)


def by_hand(rows: list[tuple[int, float, float]]) -> list[tuple[int, int, int]]:
    """(time, seq, quality) of the kept ticks, read off the rules one tick at a time."""
    kept: list[tuple[int, int, int]] = []
    counts: Counter[int] = Counter()
    latest = previous = 0
    for time, bid, ask in rows:
        if not (1e-8 <= bid < 1e10 and EARLIEST_MSC <= time <= NOW_US // 1000):
            continue
        bid, ask = np.rint(bid * 1e8) / 1e8, np.rint(ask * 1e8) / 1e8
        quality = CROSSED * (ask < bid) | LOCKED * (ask == bid)
        quality |= SAME_MILLISECOND * (time == previous) | OUT_OF_ORDER * (time < latest)
        if time < latest - RECENT_MSC:
            kept.append((time, LATE_SEQ + len(kept), quality))
        else:
            kept.append((time, counts[time], quality))
            counts[time] += 1
        latest, previous = max(latest, time), time
    return kept


@settings(deadline=None, max_examples=300)
@given(st.lists(ROW, max_size=60), st.sampled_from([1, 7, 1000, None]))
def test_batches_of_any_size_give_what_the_rules_say(rows, size):
    rows = [(*r, 0.0, 0.0, 6) for r in rows]
    whole, cut = FeedState("s", "X"), FeedState("s", "X")
    ticks, rejected = feed(whole, rows)
    parts, again, start = [], [], 0
    while start < len(rows):
        part = rows[start : start + (size or len(rows))]
        got = feed(cut, part)
        parts.append(got.ticks)
        again += [(start + i, reason) for i, reason in got.rejected]
        start += len(part)
    assert again == rejected
    assert b"".join(p.tobytes() for p in parts) == ticks.tobytes()
    assert cut == whole
    assert ticks[["time_msc", "seq", "quality"]].tolist() == by_hand([r[:3] for r in rows])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(T0, T0 + 3 * RECENT_MSC), max_size=80), st.integers(0, 80))
def test_identity_is_unique_also_after_resume(times, cut):
    first, rest = times[:cut], times[cut:]
    ticks, _ = feed(FeedState("s", "X"), [row(t) for t in first])
    seen = set(ticks[["time_msc", "seq"]].tolist())
    state = FeedState("s", "X")
    if seen:
        state = FeedState.resume("s", "X", *max(seen), offset=len(first))
    more, _ = feed(state, [row(t) for t in rest])
    seen |= set(more[["time_msc", "seq"]].tolist())
    assert len(seen) == len(times)
    assert state.offset == len(times)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(T0, np.nan), "nan_price"),
        (row(T0, 1.1, np.inf), "nan_price"),
        (row(T0, 1.1, 1.2, -np.inf), "nan_price"),
        (row(T0, 0.0), "non_positive_price"),
        (row(T0, 1.1, -1.2), "non_positive_price"),
        (row(T0, 1e-9), "non_positive_price"),
        (row(T0, 1.1, 1.2, -1.0), "non_positive_price"),
        (row(T0, 1e10), "price_too_large"),
        (row(T0, 1.1, 1.2, 0.0, -1.0), "bad_volume"),
        (row(T0, 1.1, 1.2, 0.0, np.nan), "bad_volume"),
        (row(T0 + 100_001), "future_time"),
        (row(EARLIEST_MSC - 1), "past_time"),
    ],
)
def test_a_bad_tick_is_refused_with_its_reason_and_leaves_its_neighbours(bad, reason):
    ticks, rejected = feed(FeedState("s", "X"), [row(T0), bad, row(T0)])
    assert rejected == [(1, reason)]
    assert reason in REASONS
    assert ticks["seq"].tolist() == [0, 1]


def test_crossed_and_locked_are_judged_on_the_price_grid():
    rows = [row(T0, 1.2, 1.1), row(T0 + 1, 1.1, 1.1), row(T0 + 2, 1.1, 1.100000004)]
    ticks, _ = feed(FeedState("s", "X"), rows)
    assert ticks["quality"].tolist() == [CROSSED, LOCKED, LOCKED]
    assert ticks["ask"][2] == 1.1


def test_the_tolerance_moves_the_line_of_the_future():
    time = np.array([NOW_US // 1000 + 5, NOW_US // 1000 + 6])
    ones, flags = np.ones(2), np.zeros(2, "u4")
    result = FeedState("s", "X").normalise(
        time, ones, ones, ones * 0, ones * 0, flags,
        now_us=NOW_US, recv_us=7, future_tolerance_us=5000,
    )  # fmt: skip
    assert result.rejected == [(1, "future_time")]
    assert result.ticks["ts_recv_us"].tolist() == [7]


def test_the_cursor_counts_refused_ticks_but_not_implausible_times():
    state = FeedState("s", "X")
    feed(state, [row(T0), row(T0 + 1), row(T0 + 1, np.nan), row(2**50)])
    assert state.cursor == (T0 + 1, 2)
    feed(state, [row(T0 + 1)])
    assert state.cursor == (T0 + 1, 3)
    assert FeedState.resume("s", "X", T0 + 1, 1, 3).cursor == (T0 + 1, 2)


def test_state_is_small_and_survives_pickling_and_msgpack():
    state = FeedState("s", "X")
    feed(state, [row(T0 + i // 3) for i in range(20_000)])
    assert len(state.recent) <= RECENT_MSC + 1
    assert pickle.loads(pickle.dumps(state)) == state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=FeedState) == state
