"""Features that one expression defines, against windows cut out of the ticks by NumPy."""

from pathlib import Path

import numpy as np
import pytest

from core.contracts.tick import TICK, TickArray
from core.errors import SettingsError
from features import own, own_check
from features.own_columns import OwnState, compiled

FILE = """
from tickhouse import DefinedFeature

FEATURE = DefinedFeature("mine", "bp", "what it is", "{value}")
"""
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "features" / "drift_5m.py"


def loaded(folder: Path, value: str) -> own.LoadedFeature:
    path = folder / "mine.py"
    path.write_text(FILE.format(value=value))
    return own.load(path)


def some_ticks(count: int = 4_000) -> TickArray:
    random = np.random.default_rng(11)
    ticks = np.zeros(count, TICK)
    steps = random.integers(1, 600, count)
    steps[count // 2] = 400_000  # a gap that empties every window
    ticks["time_msc"] = 1_700_000_000_000 + np.cumsum(steps)
    ticks["bid"] = 1.1 * np.exp(np.cumsum(random.normal(0, 1e-5, count)))
    ticks["ask"] = ticks["bid"] + random.uniform(5e-5, 2e-4, count)
    ticks["volume"] = random.integers(0, 3, count)
    return ticks


def values(feature: own.LoadedFeature, ticks: TickArray) -> np.ndarray:
    return OwnState(feature, compiled(feature)).values(ticks)


def windows(ticks: TickArray, seconds: int) -> list[slice]:
    """Of each tick: its slot and the sixty before; an empty slice before there are as many."""
    slot = ticks["time_msc"] // (seconds * 1000 // 60)
    begins = np.searchsorted(slot, slot - 60)
    return [
        slice(int(begin), n + 1) if slot[n] - slot[0] >= 60 else slice(0, 0)
        for n, begin in enumerate(begins)
    ]


@pytest.mark.parametrize(
    ("function", "expected"),
    [("mean", np.mean), ("deviation", np.std), ("high", np.max), ("low", np.min), ("ticks", len)],
)
def test_a_window_is_that_of_the_ticks(tmp_path, function, expected):
    ticks = some_ticks()
    mid = (ticks["bid"] + ticks["ask"]) / 2
    cut = windows(ticks, 60)
    want = [expected(mid[one]) if one.stop else np.nan for one in cut]
    given = values(loaded(tmp_path, f"{function}(mid, 60)"), ticks)
    assert np.isfinite(given).sum() > 3_000
    np.testing.assert_allclose(given, want, rtol=1e-9, atol=1e-11)


def test_a_lag_is_the_newest_of_so_long_ago(tmp_path):
    ticks = some_ticks()
    slot = ticks["time_msc"] // 1000
    given = values(loaded(tmp_path, "bid / lag(bid, 60)"), ticks)
    for n in np.flatnonzero(slot - slot[0] >= 60)[::50]:
        before = np.flatnonzero(slot <= slot[n] - 60)[-1]
        assert given[n] == pytest.approx(ticks["bid"][n] / ticks["bid"][before], rel=1e-12)


def test_an_average_forgets_with_market_time(tmp_path):
    ticks = some_ticks(500)
    given, value = values(loaded(tmp_path, "ema(spread, 30)"), ticks), None
    spread, time = ticks["ask"] - ticks["bid"], ticks["time_msc"]
    for n in range(500):
        share = 1.0 if value is None else 1 - np.exp((time[n - 1] - time[n]) / 30_000)
        value = spread[n] if value is None else value + share * (spread[n] - value)
        assert given[n] == pytest.approx(value, rel=1e-9)


def test_parts_that_are_the_same_are_remembered_once(tmp_path):
    value = "(mid - mean(mid, 60)) / deviation(mid, 60) if deviation(mid, 60) > 0 else 0"
    assert len(loaded(tmp_path, value).feature.state) == 1
    nested = loaded(tmp_path, "mean(abs(mid - lag(mid, 10)), 60)")
    assert len(nested.feature.state) == 2
    ticks = some_ticks()
    since_s = (ticks["time_msc"] - ticks["time_msc"][0]) / 1000
    given = values(nested, ticks)
    assert np.isfinite(given[since_s > nested.feature.warm_up_s]).all()
    assert np.isnan(given[since_s < 68]).all()


def test_the_example_passes_every_check():
    every = list(own_check.check(own.load(EXAMPLE), some_ticks(60_000)))
    assert [result for result in every[:-1] if not result.passed] == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("mid +", "is no expression"),
        ("price", "'price' is nothing of a tick; there are bid"),
        ("median(mid, 60)", "'median' is no function of a definition"),
        ("mean(mid)", "seconds a number from 1 to 604,800"),
        ("mean(mid, 0.5)", "seconds a number from 1"),
        ("mean(mid, bid)", "seconds a number from 1"),
        ("mean(mid, seconds=3)", "stand by their places"),
        ("mid.real", "may not stand in a definition"),
        ("__import__('os').getcwd()", "is no function of a definition"),
        ("[mid][0]", "may not stand in a definition"),
        ("'a'", "is no number"),
        ("mid if True else 1", "is no number"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_file(tmp_path, value, problem):
    with pytest.raises(SettingsError, match=r"mine\.py: .*" + problem):
        loaded(tmp_path, value)
