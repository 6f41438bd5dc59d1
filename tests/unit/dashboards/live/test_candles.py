"""Candles are those of the table `bar`, however the ticks were cut."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.tick import TICK, TickArray
from dashboards.live.candles import Candle, joined, of_ticks


def ticks(*rows: tuple[int, float]) -> TickArray:
    built = np.zeros(len(rows), TICK)
    built["time_msc"], built["bid"] = [r[0] for r in rows], [r[1] for r in rows]
    return built


def folded(parts: list[TickArray]) -> dict[int, Candle]:
    known: dict[int, Candle] = {}
    for part in parts:
        for candle in of_ticks(part):
            known[candle.time_s] = joined(known.get(candle.time_s), candle)
    return known


def test_a_minute_opens_closes_and_spans_its_bids() -> None:
    result = of_ticks(
        ticks((60_000, 2.0), (61_000, 5.0), (62_000, 1.0), (119_999, 3.0), (120_000, 9))
    )
    assert result == [
        Candle(60, 2.0, 5.0, 1.0, 3.0, 119_999),
        Candle(120, 9.0, 9.0, 9.0, 9.0, 120_000),
    ]


def test_a_late_tick_widens_but_does_not_close() -> None:
    candle = joined(of_ticks(ticks((60_500, 2.0)))[0], of_ticks(ticks((60_100, 7.0)))[0])
    assert candle == Candle(60, 2.0, 7.0, 2.0, 2.0, 60_500)


@given(
    st.lists(st.tuples(st.integers(0, 240_000), st.floats(1, 2, width=32)), min_size=1),
    st.lists(st.integers(0, 50)),
)
def test_cutting_changes_nothing(rows: list[tuple[int, float]], cuts: list[int]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    complete = ticks(*rows)
    edges = [0, *sorted(c for c in cuts if c < len(rows)), len(rows)]
    parts = [complete[a:b] for a, b in pairwise(edges) if b > a]
    assert folded(parts) == folded([complete])
