import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.tick import OUT_OF_ORDER, TICK
from execution.order_path.quotes import LEAST, WINDOW, LiveQuotes, Quote, ReplayQuotes

FEED = ("oanda", "EURUSD")


def ticks(*rows: tuple[int, float, float]) -> npt.NDArray[np.void]:
    array = np.zeros(len(rows), TICK)
    for name, column in zip(("time_msc", "bid", "ask"), zip(*rows, strict=True), strict=True):
        array[name] = column
    return array


def replay(*slices: npt.NDArray[np.void]) -> ReplayQuotes:
    quotes = ReplayQuotes()
    for part in slices:
        quotes.load({FEED: [part]})
    return quotes


def test_a_quote_is_the_newest_at_a_market_time_and_never_a_later_one() -> None:
    quotes = replay(ticks((10, 1.0, 1.1), (20, 2.0, 2.1), (20, 3.0, 3.1), (30, 4.0, 4.1)))
    assert quotes.at(*FEED, 9_999) is None
    assert quotes.at(*FEED, 19_999) == Quote(10_000, 1.0, 1.1, 0.0)
    assert quotes.at(*FEED, 20_000) == Quote(20_000, 3.0, 3.1, 0.0)
    assert quotes.at("fxcm", "EURUSD", 20_000) is None


def test_quotes_of_the_slice_before_are_still_there() -> None:
    quotes = replay(ticks((10, 1.0, 1.1)), ticks((20, 2.0, 2.1)))
    quotes.load({})
    assert quotes.at(*FEED, 15_000) == Quote(10_000, 1.0, 1.1, 0.0)


def test_late_ticks_and_prices_that_are_not_positive_are_left_out() -> None:
    rows = ticks((10, 1.0, 1.1), (5, 9.0, 9.1), (20, 0.0, 1.0), (30, 2.0, 2.1))
    rows["quality"][1] = OUT_OF_ORDER
    assert replay(rows).at(*FEED, 25_000) == Quote(10_000, 1.0, 1.1, 0.0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=400), st.data())
def test_live_and_replay_give_the_same_quote_however_ticks_are_cut(
    spreads: list[int], data: st.DataObject
) -> None:
    rows = ticks(*((10 * n, 100.0, 100.0 + s) for n, s in enumerate(spreads, 1)))
    cut = data.draw(st.integers(0, len(rows)))
    live, cut_live = LiveQuotes(), LiveQuotes()
    live.feed(*FEED, rows)
    for part in (rows[:cut], rows[cut:]):
        cut_live.feed(*FEED, part)
    now = 10_000 * len(rows)
    expected = live.at(*FEED, now)
    assert expected == cut_live.at(*FEED, now) == replay(rows).at(*FEED, now)
    assert expected == replay(rows[:cut], rows[cut:]).at(*FEED, now)
    assert expected is not None
    window = sorted(spreads[-WINDOW:])
    usual = window[len(window) // 2] if len(window) >= LEAST else 0
    assert expected.usual_spread == pytest.approx(usual)


def test_both_sides_of_a_crossed_quote_are_the_worse_one() -> None:
    crossed = Quote(1, 1.2, 1.1, 0.0)
    assert crossed.side("buy") == 1.2
    assert crossed.side("sell") == 1.1
    assert crossed.spread == pytest.approx(0.1)


def test_a_stop_may_have_been_reached_only_by_quotes_until_then() -> None:
    quotes = replay(ticks((10, 1.0, 1.1), (20, 0.8, 0.9), (30, 1.3, 1.4)))
    assert not quotes.may_have_crossed(*FEED, 19_999, 0.8, long=True)
    assert quotes.may_have_crossed(*FEED, 20_000, 0.8, long=True)
    assert not quotes.may_have_crossed(*FEED, 29_999, 1.4, long=False)
    assert quotes.may_have_crossed(*FEED, 30_000, 1.4, long=False)
    assert not quotes.may_have_crossed("fxcm", "EURUSD", 30_000, 1.4, long=False)


def test_the_first_quote_from_a_time_is_looked_for_in_the_slice() -> None:
    quotes = replay(ticks((10, 1.0, 1.1), (20, 2.0, 2.1)))
    assert quotes.first_from(*FEED, 10_001) == 20_000
    assert quotes.first_from(*FEED, 20_001) is None
