"""The grid of minutes does not depend on how ticks are cut."""

import numpy as np
import pytest

from core.contracts.tick import OUT_OF_ORDER, TICK, TickArray
from risk.minutes import MINUTE_US, Minutes, Moment

A, B = ("x", "A"), ("x", "B")


def ticks(*quotes: tuple[float, float], quality: int = 0) -> TickArray:
    """(seconds, mid)."""
    drawn_ticks = np.zeros(len(quotes), TICK)
    for row, (at, mid) in zip(drawn_ticks, quotes, strict=True):
        row["time_msc"], row["bid"], row["ask"], row["quality"] = (
            at * 1000,
            mid - 1,
            mid + 1,
            quality,
        )
    return drawn_ticks


def drawn(seed: int = 1) -> dict[tuple[str, str], TickArray]:
    rng = np.random.default_rng(seed)
    return {
        feed: ticks(
            *((t, 100 + rng.standard_normal()) for t in np.sort(rng.uniform(0, 1200, 300)).round(3))
        )
        for feed in (A, B)
    }


def test_a_minute_is_the_last_mid_before_its_end() -> None:
    minutes = Minutes(10, MINUTE_US)
    minutes.feed(*A, ticks((1, 100), (59.999, 101), (60, 102)))
    assert list(minutes.until(60_000_000)) == [Moment(60_000_000, {A: 101}, {A: 2}, closed=True)]
    assert list(minutes.until(119_000_000)) == []
    assert [m.mids[A] for m in minutes.until(120_000_000)] == [102]


def test_cutting_ticks_into_batches_changes_nothing() -> None:
    whole, cut = Minutes(100, 1_000_000), Minutes(100, 1_000_000)
    moments: list[Moment] = []
    for feed, drawn_ticks in drawn().items():
        whole.feed(*feed, drawn_ticks)
    for second in range(0, 1201, 7):
        for feed, drawn_ticks in drawn().items():
            at = drawn_ticks["time_msc"]
            cut.feed(*feed, drawn_ticks[(at >= second * 1000) & (at < (second + 7) * 1000)])
        moments += cut.until((second + 7) * 1_000_000)
    assert moments == list(whole.until(1_210_000_000))
    assert np.array_equal(whole.history.mids, cut.history.mids, equal_nan=True)


def test_every_second_and_every_minute_give_the_same_grid() -> None:
    fine, coarse = Minutes(100, 1_000_000), Minutes(100, MINUTE_US)
    for minutes in (fine, coarse):
        for feed, drawn_ticks in drawn(2).items():
            minutes.feed(*feed, drawn_ticks)
    closed = [m for m in fine.until(1_200_000_000) if m.closed]
    assert closed == list(coarse.until(1_200_000_000))
    assert np.array_equal(fine.history.mids, coarse.history.mids, equal_nan=True)


def test_a_pause_of_all_is_no_row_and_a_quiet_feed_keeps_its_mid() -> None:
    minutes = Minutes(10, MINUTE_US)
    minutes.feed(*A, ticks((10, 100), (3610, 101)))
    minutes.feed(*B, ticks((3611, 50)))
    assert len(list(minutes.until(4_000_000_000))) == 2
    feeds, mids = minutes.history
    assert feeds == (A, B)
    assert np.array_equal(mids, [[100, np.nan], [101, 50]], equal_nan=True)


def test_late_ticks_and_impossible_prices_change_nothing() -> None:
    minutes = Minutes(10, MINUTE_US)
    minutes.feed(*A, ticks((10, 100)))
    minutes.feed(*A, ticks((20, 7), quality=OUT_OF_ORDER))
    minutes.feed(*A, ticks((30, -5)))
    assert [m.mids[A] for m in minutes.until(60_000_000)] == [100]
    minutes.feed(*A, ticks((40, 9)))
    assert list(minutes.until(120_000_000)) == []


def test_the_window_is_bounded() -> None:
    minutes = Minutes(5, MINUTE_US)
    minutes.feed(*A, ticks(*((60.0 * k, 100 + k) for k in range(50))))
    assert len(list(minutes.until(3_600_000_000))) == 50
    assert minutes.history.mids.shape == (6, 1)


def test_moments_divide_a_minute() -> None:
    with pytest.raises(ValueError, match="divide"):
        Minutes(5, 7_000_000)
