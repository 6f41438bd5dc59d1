"""Ticks as they were known at a moment: corrected, withdrawn, come in late."""

import numpy as np
import pytest

from core.contracts.tick import TICK, TickArray
from streams.explain.history import NOW, STREAMED, FeedHistory, History

FIRST, SECOND, BACK, LATE = 1_000, 2_000, 3_000, 4_000


def ticks(*rows: tuple[int, int, float]) -> TickArray:
    stored = np.zeros(len(rows), TICK)
    for n, (time_msc, seq, bid) in enumerate(rows):
        stored[n]["time_msc"], stored[n]["seq"], stored[n]["bid"] = time_msc, seq, bid
    return stored


#: Of four ticks one was corrected twice, one withdrawn, and one came in late.
FEED = FeedHistory(
    ticks((1, 0, 1.0), (2, 0, 2.2), (2, 1, 2.5), (9, 0, 9.0)),
    np.array([0, 0, 0, LATE]),
    ticks((2, 0, 2.0), (2, 0, 2.1), (2, 0, 2.2), (5, 0, 5.0), (5, 0, 5.0)),
    np.array([10, FIRST, SECOND, 10, BACK]),
    np.array([False, False, False, False, True]),
)


@pytest.mark.parametrize(
    ("moment", "bids"),
    [
        (NOW, [1.0, 2.2, 2.5, 9.0]),
        (LATE - 1, [1.0, 2.2, 2.5]),
        (BACK - 1, [1.0, 2.2, 2.5, 5.0]),
        (SECOND - 1, [1.0, 2.1, 2.5, 5.0]),
        (FIRST - 1, [1.0, 2.0, 2.5, 5.0]),
    ],
)
def test_each_state_of_knowledge_comes_back(moment: int, bids: list[float]) -> None:
    assert FEED.at(moment)["bid"].tolist() == bids


def test_a_live_stream_saw_each_tick_as_it_came_in() -> None:
    came_in = FEED.versions.copy()
    came_in["ts_recv_us"][[0, 3]] = 10
    feed = FEED._replace(versions=came_in)
    assert feed.at(STREAMED)["bid"].tolist() == [1.0, 2.0, 2.5, 5.0]
    assert FEED.at(STREAMED)["bid"].tolist() == [1.0, 2.5]  # those two were imported


def test_every_state_is_tried_once_the_likeliest_first() -> None:
    history = History({"EURUSD": FEED})
    states = [NOW, LATE - 1, BACK - 1, SECOND - 1, FIRST - 1, 9]
    assert list(history.moments(live=False)) == states
    assert list(history.moments(live=True)) == [STREAMED, *states]


def test_without_corrections_there_is_one_state() -> None:
    plain = FeedHistory(
        FEED.ticks, np.zeros(4, np.int64), FEED.versions[:0], np.zeros(0, np.int64),
        np.zeros(0, np.bool_),
    )  # fmt: skip
    assert list(History({"EURUSD": plain}).moments(live=True)) == [NOW]
    assert plain.at(5)["bid"].tolist() == FEED.ticks["bid"].tolist()
