"""Blocks are cut by rows alone."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.base import Chunk, RefusedRow, blocks, make_ticks


def chunked(kinds: list[bool], cuts: list[int]) -> list[Chunk]:
    """Rows 1..n, a tick where `kinds` is set, else refused, cut at `cuts`."""
    edges = sorted({0, *(c for c in cuts if c < len(kinds)), len(kinds)})
    parts = []
    for start, end in pairwise(edges):
        rows = np.array([i + 1 for i in range(start, end) if kinds[i]], np.int64)
        prices = rows.astype(float)
        refused = [RefusedRow(i + 1, "", "unparseable") for i in range(start, end) if not kinds[i]]
        parts.append(Chunk(make_ticks(rows, prices, prices, rows), rows, refused))
    return parts


@given(st.lists(st.booleans(), max_size=60), st.lists(st.integers(0, 60)), st.integers(1, 9))
def test_blocks_do_not_depend_on_chunks(kinds, cuts, size):
    def cut(parts):
        return [(b.rows.tolist(), [r.row for r in b.refused]) for b in blocks(parts, size)]

    got = cut(chunked(kinds, cuts))
    assert got == cut(chunked(kinds, []))
    assert sorted(r for ticks, refused in got for r in ticks + refused) == [
        i + 1 for i in range(len(kinds))
    ]
    assert all(len(ticks) <= size and len(refused) <= size for ticks, refused in got)


def test_volume_that_is_no_number_does_not_spoil_the_whole_one():
    one = np.ones(4)
    volume = np.array([np.nan, np.inf, -1.0, 2.5])
    ticks = make_ticks(one, one, one, one, one, volume)
    assert ticks["volume"].tolist() == [0, 0, 0, 2]
