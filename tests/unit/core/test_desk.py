"""A desk as a person writes it: what it means, and what is said of a mistake."""

import pytest

from core.desk import StrategyLimits, of_names, one_alone, parse
from core.errors import InputError, SettingsError
from core.sections import ExitSettings, SignalSettings

GOOD = b"""
[strategies.trend]
use = "ema_cross"
symbols = ["EURUSD", "XAUUSD"]
share = 0.5
mode = "demo"

[strategies.trend.signals]
horizon_s = 300

[strategies.trend.exits]
trail_stops = 1.5

[strategies.quiet]
use = "scripted"
share = 0.25
mode = "shadow"
"""


def test_a_desk_says_of_each_strategy_what_it_is_and_may() -> None:
    desk = parse(GOOD, "desk.toml")
    trend, quiet = desk.strategies
    assert (trend.use, trend.symbols, trend.share) == ("ema_cross", ("EURUSD", "XAUUSD"), 0.5)
    assert trend.signal_settings(SignalSettings()) == SignalSettings(
        horizon_s=300, scripted_horizon_s=300
    )
    assert trend.exit_settings(ExitSettings()) == ExitSettings(trail_stops=1.5)
    assert quiet.signal_settings(SignalSettings(threshold=0.7)) == SignalSettings(threshold=0.7)
    assert [trend.trades("EURUSD"), trend.trades("BTCUSD"), quiet.trades("BTCUSD")] == [1, 0, 1]
    assert trend.version != quiet.version
    sent = {(n, s): desk.sends(n, simulated=s) for n in desk.names for s in (True, False)}
    assert [key for key, sends in sent.items() if sends] == [("trend", True)]
    assert (desk.share("trend"), desk.share("quiet"), desk.share("another")) == (0.5, 0.25, 0.0)
    assert not desk.sends("another", simulated=True)


def test_limits_of_its_own_are_checked_like_settings() -> None:
    text = b"[strategies.a]\n[strategies.a.limits]\nmax_lots = 0.5\n"
    (one,) = parse(text, "desk.toml").strategies
    assert one.own_limits == StrategyLimits(max_lots=0.5)
    with pytest.raises(InputError, match=r"row 3: .*max_lots'"):
        parse(text.replace(b"max_lots", b"max_lot"), "desk.toml")


def test_a_strategy_has_parameters_of_its_own() -> None:
    text = b'[strategies.a]\nuse = "trend"\n[strategies.a.signals]\nparameters = "fast=3"\n'
    (one,) = parse(text, "desk.toml").strategies
    assert one.signal_settings(SignalSettings()) == SignalSettings(parameters="fast=3")


def test_one_name_is_no_desk_and_has_the_account() -> None:
    alone = one_alone("model")
    assert alone.alone
    assert alone.share("model") == alone.share("another") == 1.0
    assert alone.sends("another", simulated=False)


def test_names_in_short_share_equally() -> None:
    desk = of_names("ema_cross, breakout,scripted")
    assert desk.names == ("ema_cross", "breakout", "scripted")
    assert [one.share for one in desk.strategies] == [1 / 3] * 3
    for wrong in ("a,a", "a,,b", "a,b/c"):
        with pytest.raises(SettingsError, match=r"twice|no name"):
            of_names(wrong)


@pytest.mark.parametrize(
    ("change", "row", "problem"),
    [
        (("share = 0.25", "share = 0.75"), 16, "125.0%: at most 100 %"),
        (("share = 0.25", ""), 14, "has no share, others have"),
        (("share = 0.25", "share = 0"), 16, "above 0 and at most 1"),
        (("share = 0.25", "share = nan"), 16, "above 0 and at most 1"),
        (("share = 0.25", 'share = "much"'), 16, "Expected `float`"),
        (("share = 0.25", "shares = 0.25"), 16, "did you mean 'share'"),
        (('mode = "shadow"', 'mode = "real"'), 17, "Invalid enum value 'real'"),
        (('mode = "shadow"', 'model = "abc"'), 17, "at least the first 12 hexadecimal"),
        (("horizon_s = 300", "horizon = 300"), 9, "did you mean 'horizon_s'"),
        (("horizon_s = 300", "horizon_s = -1"), 9, "a number from 0 on"),
        (("trail_stops = 1.5", "trail_interval_s = 1"), 12, "none of a strategy's own"),
        (('["EURUSD", "XAUUSD"]', '["EURUSD", "EURUSD"]'), 4, "a symbol is named twice"),
        (("[strategies.quiet]", "[strategies.trend]"), None, "a strategy twice"),
        (("[strategies.quiet]", "[other]\n[strategies.quiet]"), 14, "did you mean|known: strat"),
        (("[strategies.quiet]", '[strategies."a b"]'), None, "is no name"),
        (("\n[strategies.trend]", "x ="), None, "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(change, row, problem) -> None:
    text = GOOD.decode()
    assert change[0] in text
    with pytest.raises(InputError, match=problem) as error:
        parse(text.replace(change[0], change[1], 1).encode(), "desk.toml")
    if row is not None:
        assert error.value.row == row


def test_an_empty_desk_is_none() -> None:
    with pytest.raises(InputError, match="no strategy"):
        parse(b"", "desk.toml")


def test_a_symbol_of_which_no_ticks_come_is_refused() -> None:
    desk = parse(GOOD, "desk.toml")
    desk.refuse_unknown_symbols({"EURUSD", "XAUUSD"})
    with pytest.raises(SettingsError, match="strategy trend: symbol XAUUSD is not collected"):
        desk.refuse_unknown_symbols({"EURUSD", "BTCUSD"})


def test_no_strategy_has_the_name_of_what_is_nobodys() -> None:
    with pytest.raises(InputError, match="netting account's positions leave to none"):
        parse(b"[strategies.netting]\nuse = 'scripted'\n", "desk.toml")
