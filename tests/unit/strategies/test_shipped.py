"""Strategies that ship: what each waits for, and that rows alone decide."""

import msgspec
import numpy as np
import pytest

from core.errors import SettingsError
from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.desk import same_rule
from strategies.parameters import Parameter, parameter_values, written
from strategies.select import declared, select, shipped

RULES = [name for name in shipped() if name not in ("model", "scripted")]
ALONE = [name for name in RULES if name != "pairs"]
DECLARED = (
    Parameter("far", 1.5, 0.0, 3.0, "how far"),
    Parameter("horizon_s", 60.0, 1.0, 3_600.0, "seconds", log=True),
)


def rows(count=1, **columns):
    """Feature rows that are 0 but for the columns named."""
    table = np.zeros((count, len(NAMES)), np.float32)
    for name, value in columns.items():
        table[:, NAMES.index(name)] = value
    return table


def directions(name, table, parameters=msgspec.UNSET):
    settings = SignalSettings(parameters=parameters)
    return select(name, settings).targets(table, None).direction.tolist()


def hour(value):
    """The columns of a time of day, hours UTC."""
    angle = 2 * np.pi * value / 24
    return {"time_sin": np.sin(angle), "time_cos": np.cos(angle)}


@pytest.mark.parametrize("name", ALONE)
def test_a_row_alone_decides_and_a_missing_value_opens_nothing(name):
    random = np.random.default_rng(3)
    table = random.normal(0, 30, (400, len(NAMES))).astype(np.float32)
    table[random.random(table.shape) < 0.05] = np.nan
    table[0] = np.nan
    strategy = select(name, SignalSettings())
    whole = strategy.targets(table, None)
    assert whole.direction[0] == 0
    assert np.abs(whole.direction).sum() > 0
    assert np.isfinite(whole.confidence).all()
    assert ((whole.confidence >= 0) & (whole.confidence <= 1)).all()
    for n in range(0, 400, 7):
        alone = strategy.targets(table[n : n + 1], None)
        assert alone.direction[0] == whole.direction[n]
        assert alone.confidence[0] == whole.confidence[n]


@pytest.mark.parametrize("name", RULES)
def test_defaults_lie_in_their_ranges_and_every_parameter_changes_something(name):
    for parameter in declared(name):
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.low < parameter.high
        assert parameter.low > 0 or not parameter.log
        given = select(name, SignalSettings(parameters=f"{parameter.name}={parameter.high}"))
        assert vars(given) != vars(select(name, SignalSettings()))


@pytest.mark.parametrize("name", [*ALONE, "scripted"])
def test_a_horizon_changes_no_target(name):
    """So strategies of one class that differ in nothing else are asked once (`same_rule`)."""
    table = np.random.default_rng(4).normal(0, 30, (300, len(NAMES))).astype(np.float32)
    one, other = (select(name, SignalSettings()) for _ in range(2))
    other.horizon_s = 12_345.0
    assert same_rule(one, other)
    for mine, theirs in zip(one.targets(table, None), other.targets(table, None), strict=True):
        assert (mine is None and theirs is None) or (mine == theirs).all()


def test_trend_goes_with_a_far_price_where_an_hour_pays_for_the_spread():
    far = {"ema_20_1h_bp": 30.0, "ema_20_5m_bp": 2.0, "atr_14_1h_bp": 20.0, "spread_bp": 1.0}
    assert directions("trend", rows(**far)) == [1]
    assert directions("trend", -rows(**far) + rows(atr_14_1h_bp=40.0)) == [-1]
    assert directions("trend", rows(**{**far, "ema_20_5m_bp": -2.0})) == [0]
    assert directions("trend", rows(**{**far, "spread_bp": 3.0})) == [0]
    assert directions("trend", rows(**far), "ranges=2") == [0]


def test_mean_reversion_sells_what_rose_unless_the_hour_has_a_direction():
    high = {"rsi_14_5m": 75.0, "atr_14_5m_bp": 6.0, "spread_bp": 1.0, "atr_14_1h_bp": 10.0}
    assert directions("mean_reversion", rows(**high)) == [-1]
    assert directions("mean_reversion", rows(**{**high, "rsi_14_5m": 25.0})) == [1]
    assert directions("mean_reversion", rows(**high, ema_20_1h_bp=16.0)) == [0]
    assert directions("mean_reversion", rows(**high), "stretch=30") == [0]


def test_session_breakout_waits_for_its_hours():
    out = {"breakout": 1.5, "breakout_confidence": 0.4}
    for at, expected in ((6.95, 0), (7.0, 1), (8.95, 1), (9.0, 0), (23.0, 0)):
        assert directions("session_breakout", rows(**out, **hour(at))) == [expected], at
    late = "opens_h=23,hours=2"  # over midnight
    for at, expected in ((22.9, 0), (23.5, 1), (0.9, 1), (1.0, 0)):
        assert directions("session_breakout", rows(**out, **hour(at)), late) == [expected], at


def test_a_wilder_market_gets_a_smaller_position_of_the_same_side():
    table = rows(5, ema_20_1h_bp=-500.0)
    table[:, NAMES.index("atr_14_1h_bp")] = (4.0, 8.0, 16.0, 100.0, np.nan)
    targets = select("volatility_target", SignalSettings()).targets(table, None)
    assert targets.size.tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert targets.direction.tolist() == [-1, -1, -1, 0, 0]


def pair(first, second, age_s=2.0, parameters=msgspec.UNSET):
    """Directions and sizes of one moment."""
    seen = np.stack([first[0], second[0]])[None]
    ages = np.full((1, 2), age_s, np.float32)
    targets = select("pairs", SignalSettings(parameters=parameters)).pair_targets(seen, ages)
    return targets.direction[0].tolist(), targets.size[0].tolist(), targets.confidence[0].tolist()


def test_of_a_pair_the_one_that_ran_ahead_is_sold_and_the_wilder_one_is_smaller():
    ahead = rows(ema_20_1h_bp=40.0, atr_14_1h_bp=20.0, spread_bp=1.0)
    behind = rows(ema_20_1h_bp=-5.0, atr_14_1h_bp=10.0, spread_bp=1.0)
    assert pair(ahead, behind) == ([-1, 1], [0.5, 1.0], [0.625, 0.625])
    assert pair(behind, ahead)[:2] == ([1, -1], [1.0, 0.5])
    assert pair(ahead, behind, parameters="ranges=2.5")[0] == [0, 0]
    assert pair(ahead, behind, age_s=21.0)[0] == [0, 0]
    assert pair(ahead, behind, age_s=np.inf)[0] == [0, 0]
    assert pair(ahead, rows(ema_20_1h_bp=-5.0, atr_14_1h_bp=10.0, spread_bp=2.0))[0] == [0, 0]
    for value in (np.nan, np.inf, 0.0):
        assert pair(ahead, rows(ema_20_1h_bp=-5.0, atr_14_1h_bp=value, spread_bp=0.0))[0] == [0, 0]
        assert pair(ahead, rows(ema_20_1h_bp=-5.0, atr_14_1h_bp=value))[2] == [0.0, 0.0]


def test_moments_of_a_pair_are_decided_one_by_one():
    random = np.random.default_rng(5)
    seen = random.normal(0, 30, (300, 2, len(NAMES))).astype(np.float32)
    seen[random.random(seen.shape) < 0.02] = np.nan
    ages = random.uniform(2, 30, (300, 2)).astype(np.float32)
    strategy = select("pairs", SignalSettings(parameters="spreads=0.5"))
    whole = strategy.pair_targets(seen, ages)
    assert np.abs(whole.direction).sum() > 0
    assert (whole.direction.sum(axis=1) == 0).all()
    assert ((whole.size > 0) == (whole.direction != 0)).all()
    assert whole.size.max() <= 1
    for n in range(0, 300, 7):
        alone = strategy.pair_targets(seen[n : n + 1], ages[n : n + 1])
        for one, other in zip(alone, whole, strict=True):
            assert (one[0] == other[n]).all()


def test_values_are_read_back_to_the_last_bit():
    values = {"far": 0.1 + 0.2, "horizon_s": 59.999999999999996}
    assert parameter_values(DECLARED, written(values)) == values
    assert (
        parameter_values(DECLARED, msgspec.UNSET)
        == parameter_values(DECLARED, " ")
        == {"far": 1.5, "horizon_s": 60}
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("near=1", "no parameter of it; it has far, horizon_s"),
        ("far=1,far=2", "stands twice"),
        ("far", "is no number"),
        ("far=nan", "is not from 0 to 3"),
        ("horizon_s=0", "is not from 1 to 3600"),
    ],
)
def test_what_is_wrong_with_values_is_said(text, problem):
    with pytest.raises(SettingsError, match=problem):
        parameter_values(DECLARED, text)


def test_values_for_a_strategy_that_declares_none_are_refused():
    with pytest.raises(SettingsError, match="'scripted' declares no parameters"):
        select("scripted", SignalSettings(parameters="far=1"))


def test_without_parameters_settings_are_encoded_as_before_there_were_any():
    """So that run ids and sessions of before keep their hashes."""
    assert b"parameters" not in msgspec.json.encode(SignalSettings())
    given = SignalSettings(parameters="far=1")
    assert msgspec.json.decode(msgspec.json.encode(given), type=SignalSettings) == given
