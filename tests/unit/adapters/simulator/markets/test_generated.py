"""The generated market: deterministic, open when it should be, dirty enough, and with its edge."""

from datetime import date

import numpy as np
import pytest

from adapters.simulator.markets import generated
from adapters.simulator.markets.generated import (
    DAY_MSC,
    PROFILES,
    day_ticks,
    profile,
    round_trip_cost,
)
from core import instruments
from core.errors import SettingsError
from core.instruments import instrument, is_open

WEDNESDAY = (date(2026, 6, 10) - date(1970, 1, 1)).days


@pytest.mark.parametrize("symbol", sorted(PROFILES))
def test_a_day_depends_on_symbol_day_and_seed_alone(symbol: str) -> None:
    first = day_ticks(symbol, WEDNESDAY, 7)
    day_ticks(symbol, WEDNESDAY + 1, 7)
    assert first.tobytes() == day_ticks(symbol, WEDNESDAY, 7).tobytes()
    assert first.tobytes() != day_ticks(symbol, WEDNESDAY, 8).tobytes()
    assert 50_000 < len(first) < 600_000


@pytest.mark.parametrize("day", [WEDNESDAY, WEDNESDAY + 2, WEDNESDAY + 3, WEDNESDAY + 4])
def test_ticks_come_in_time_order_and_only_when_the_session_is_open(day: int) -> None:
    for symbol, session in (("EURUSD", "forex"), ("XAUUSD", "metal"), ("BTCUSD", "always")):
        time = day_ticks(symbol, day, 7)["time_msc"]
        assert (np.diff(time) >= 0).all()
        assert len(time) or session != "always"
        assert set(time // DAY_MSC) <= {day}
        hours = np.unique(time // 3_600_000)
        assert all(is_open(session, int(hour) * 3_600_000_000) for hour in hours)


def test_prices_lie_on_the_instruments_digits_and_every_tick_changes_a_price() -> None:
    ticks = day_ticks("XAUUSD", WEDNESDAY, 7)
    for name in ("bid", "ask"):
        assert (np.round(ticks[name], 3) == ticks[name]).all()
    changed = (np.diff(ticks["bid"]) != 0) | (np.diff(ticks["ask"]) != 0)
    assert changed.all()
    assert set(np.unique(ticks["flags"])) == {2, 4, 6}


def test_quotes_are_as_dirty_as_real_ones() -> None:
    ticks = day_ticks("EURUSD", WEDNESDAY, 7)
    assert (ticks["ask"] < ticks["bid"]).sum() > 10
    assert (ticks["ask"] == ticks["bid"]).sum() > 10
    assert (np.diff(ticks["time_msc"]) == 0).sum() > 1000
    assert np.diff(ticks["time_msc"]).max() > 10_000
    spread = ticks["ask"] - ticks["bid"]
    assert np.quantile(spread, 0.999) > 3 * np.median(spread)


def test_a_day_begins_where_the_one_before_ended() -> None:
    for symbol in ("BTCUSD", "EURUSD"):
        today, tomorrow = day_ticks(symbol, WEDNESDAY, 7), day_ticks(symbol, WEDNESDAY + 1, 7)
        jump = abs(tomorrow["bid"][0] - today["bid"][-1])
        assert jump < 10 * profile(symbol).step + 5 * profile(symbol).spread


def test_prices_stay_near_the_profile_for_years() -> None:
    openings = [
        generated._opening("EURUSD", 7, day, 1.1, 0.006) for day in range(15_000, 21_000, 300)
    ]
    assert 0.9 < min(openings) < max(openings) < 1.35


def test_a_symbol_without_profile_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="XYZUSD"):
        profile("XYZUSD")


@pytest.mark.parametrize("symbol", ["EURUSD", "XAUUSD", "BTCUSD"])
def test_the_planted_edge_pays_for_costs_and_chance_does_not(symbol: str) -> None:
    """Rule: 64 % upticks (or downticks) over 30 s, held for 60 s, entered 100 ms late."""
    known = instrument(symbol, WEDNESDAY * 86_400_000_000)
    assert known is not None
    commission = round_trip_cost(profile(symbol), known) - profile(symbol).spread
    ticks = day_ticks(symbol, WEDNESDAY, 7)
    time, mid = ticks["time_msc"], (ticks["bid"] + ticks["ask"]) / 2
    move = np.diff(mid, prepend=mid[0])
    ups, downs = np.cumsum(move > 0), np.cumsum(move < 0)
    requested = np.arange(time[0] + 60_000, time[-1] - 90_000, 1000)
    now, before = (np.searchsorted(time, requested - back) for back in (0, 30_000))
    up, down = ups[now - 1] - ups[before - 1], downs[now - 1] - downs[before - 1]
    share = up / np.maximum(up + down, 1)
    entry, leave = np.searchsorted(time, requested + 100), np.searchsorted(time, requested + 60_100)
    long = ticks["bid"][leave] - ticks["ask"][entry] - commission
    short = ticks["bid"][entry] - ticks["ask"][leave] - commission
    taken = np.where(share > 0.64, long, np.where(share < 0.36, short, np.nan))
    assert np.nanmean(taken) > 0.5 * round_trip_cost(profile(symbol), known)
    assert 0.1 < np.isfinite(taken).mean() < 0.35
    assert long.mean() < 0
    assert short.mean() < 0


def test_a_lively_opening_has_regimes_by_the_clock_for_ten_minutes_and_nothing_else():
    quiet, begin = np.zeros(86_400), 12 * 3600
    regimes = [generated._by_the_clock(quiet.copy(), symbol, begin) for symbol in PROFILES]
    for regime in regimes:
        assert not regime[:begin].any()
        assert not regime[begin + 600 :].any()
        assert np.abs(regime[begin : begin + 600]).sum() == pytest.approx(375, abs=45)
        assert {-1.0, 1.0} <= set(regime[begin : begin + 600])
    assert len({regime.tobytes() for regime in regimes}) == len(PROFILES)
    late = generated._by_the_clock(quiet.copy(), "EURUSD", 86_400 - 60)  # goes on the next day
    assert np.abs(late).sum() <= 60
    assert len(day_ticks("EURUSD", WEDNESDAY, 7, WEDNESDAY * 86_400)) > 10_000


def test_a_market_that_never_closes_ticks_on_a_saturday(tmp_path):
    saturday = WEDNESDAY + 3
    assert len(day_ticks("EURUSD", saturday, 7)) == 0
    instruments.use_home(tmp_path, never_closes=True)
    try:
        assert len(day_ticks("EURUSD", saturday, 7)) > 10_000
    finally:
        instruments.use_home(tmp_path)
    assert len(day_ticks("EURUSD", saturday, 7)) == 0
