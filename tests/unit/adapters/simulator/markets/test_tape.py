"""Searches on the tape agree with looking at every tick."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulator.markets.recorded import RecordedTape
from adapters.simulator.markets.tape import Quote, reached
from tests.support.markets import ArrayTicks, ticks

PRICE = st.sampled_from([0.9, 1.0, 1.1, 1.2, 1.3, -1.0, math.nan])
ROWS = st.lists(st.tuples(st.integers(1, 60), PRICE, PRICE), min_size=1, max_size=40)
TIME = st.integers(0, 70)


def tradable(rows: Any) -> list[Quote]:
    result, newest = [], 0
    for time, bid, ask in rows:
        newest = max(newest, time)
        if time == newest and bid > 0 and ask > 0:
            result.append(Quote(time, bid, ask))
    return result


def tape(rows: Any, chunk: int) -> RecordedTape:
    return RecordedTape(ArrayTicks("x", "EURUSD", ticks(rows), chunk))


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 7), st.lists(st.tuples(TIME, TIME), max_size=12))
def test_first_and_last_quotes_at_any_times_in_any_order(
    rows: Any, chunk: int, questions: Any
) -> None:
    quotes, searched = tradable(rows), tape(rows, chunk)
    for time, limit in questions:
        first = next((q for q in quotes if q.time_msc >= time), None)
        wanted = first if first and first.time_msc <= limit else None
        assert searched.first_from(time, limit) == wanted
        last = [q for q in quotes if q.time_msc <= time]
        assert searched.last_until(time) == (last[-1] if last else None)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 7), TIME, TIME, st.booleans(), PRICE, PRICE)
def test_first_crossing_is_the_first_tick_that_crosses(
    rows: Any, chunk: int, after: int, until: int, long: bool, sl: float, tp: float
) -> None:
    sl, tp = max(np.nan_to_num(sl), 0.0), max(np.nan_to_num(tp), 0.0)

    def crosses(q: Quote) -> bool:
        if long:
            return bool((sl and q.sell <= sl) or (tp and q.sell >= tp))
        return bool((sl and q.buy >= sl) or (tp and q.buy <= tp))

    wanted = next((q for q in tradable(rows) if after < q.time_msc <= until and crosses(q)), None)
    assert tape(rows, chunk).first_crossing(after, until, long=long, sl=sl, tp=tp) == wanted


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 7), TIME, TIME, st.integers(0, 50))
def test_ticks_between_are_all_rows_in_source_order(
    rows: Any, chunk: int, begin: int, end: int, count: int
) -> None:
    newest = np.maximum.accumulate([row[0] for row in rows])
    wanted = ticks(rows)[(newest >= begin) & (newest <= end)][:count]
    assert tape(rows, chunk).ticks_between(begin, end, count).tobytes() == wanted.tobytes()


def test_one_row_with_a_wrong_clock_does_not_make_the_rest_late() -> None:
    future = 4_000_000_000_000
    times = np.array([1000, 2000, future, 3000, 2500, 4000])
    assert reached(times).tolist() == [1000, 2000, 2000, 3000, 3000, 4000]
    assert reached(np.array([future * 10, 5])).tolist() == [0, 5]
