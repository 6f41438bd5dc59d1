"""Generated recordings carry the dirt of real ones, and the same in every run."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.contracts.tick import TickArray
from tests.support.recordings import FEEDS, HOUR, PAYROLLS_MSC, START_MSC, recorded_ticks
from tests.support.reference_ticks import reference_ticks

QUOTED = [name for name, feed in FEEDS.items() if not feed.trades]


def figures(ticks: TickArray) -> dict[str, float]:
    """What a feed is known by: shares of rows, prices, times in milliseconds."""
    step, spread = np.diff(ticks["time_msc"]), ticks["ask"] - ticks["bid"]
    return {
        "median step": float(np.median(step)),
        "same millisecond": float(np.mean(step == 0)),
        "crossed": float(np.mean(spread < -1e-9)),
        "locked": float(np.mean(np.abs(spread) < 1e-9)),
        "median spread": float(np.median(spread)),
        "price": float(np.median(ticks["bid"])),
    }


@pytest.mark.parametrize("name", FEEDS)
def test_times_ascend_and_rows_of_a_millisecond_are_counted(name: str) -> None:
    ticks = recorded_ticks(name)
    assert (np.diff(ticks["time_msc"]) >= 0).all()
    assert len(np.unique(ticks[["time_msc", "seq"]])) == len(ticks) == FEEDS[name].rows


def test_the_week_ends_on_friday_and_gold_rests_every_day() -> None:
    gaps = np.diff(recorded_ticks("EURUSD_oanda")["time_msc"]) / 3_600_000
    assert gaps.max() == pytest.approx(48, abs=0.1)
    assert np.sum(gaps > 1) in (1, 2)
    rest = np.diff(recorded_ticks("XAUUSD_oanda")["time_msc"]) / 60_000
    assert rest.max() == pytest.approx(46, abs=2)


def test_payrolls_burst_jump_and_widen_the_spread() -> None:
    ticks = recorded_ticks("XAUUSD_oanda")
    time, spread = ticks["time_msc"], ticks["ask"] - ticks["bid"]
    after = (time >= PAYROLLS_MSC) & (time < PAYROLLS_MSC + 60_000)
    before = (time >= PAYROLLS_MSC - 600_000) & (time < PAYROLLS_MSC)
    assert after.sum() > 2 * before.sum()
    assert np.median(spread[after]) > 4 * np.median(spread[before])
    assert np.bincount((time[after] - PAYROLLS_MSC) // 1000).max() > 100


def test_two_brokers_quote_one_market() -> None:
    """Their five-minute returns go together, which no shuffled one does."""
    returns = []
    for name in ("EURUSD_oanda", "EURUSD_fxcm"):
        ticks = recorded_ticks(name)
        minutes = START_MSC + HOUR + np.arange(120) * 5 * 60_000
        at = np.searchsorted(ticks["time_msc"], minutes) - 1
        returns.append(np.diff((ticks["bid"] + ticks["ask"])[at]))
    assert np.corrcoef(returns)[0, 1] > 0.9


@pytest.mark.usefixtures("reference_data")
@pytest.mark.parametrize("name", QUOTED)
def test_they_are_as_dirty_as_the_real_ones(name: str) -> None:
    generated = recorded_ticks(name)
    real = figures(reference_ticks(name)[: len(generated)])
    for figure, value in figures(generated).items():
        tolerance = {"price": 0.03, "median spread": 0.15}.get(figure, 0.45)
        assert value == pytest.approx(real[figure], rel=tolerance, abs=0.012), (figure, real)


def test_the_file_holds_what_the_array_holds(recordings) -> None:
    for name in FEEDS:
        table, ticks = pq.read_table(recordings / f"ticks/{name}.parquet"), recorded_ticks(name)
        for column in ("time_msc", "bid", "ask", "last", "volume", "flags"):
            assert (table[column].to_numpy() == ticks[column]).all(), (name, column)
