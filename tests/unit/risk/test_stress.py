"""Scenarios: arithmetic by hand, reverse stress, and files with mistakes."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from risk import covariance, stress
from risk.exposure import ConversionError, Holding
from risk.stress import Prices, Scenario

TUESDAY = int(datetime(2024, 3, 5, 12, tzinfo=UTC).timestamp()) * 1_000_000
EUR, JPY, GBPJPY = ("x", "EURUSD"), ("x", "USDJPY"), ("x", "GBPJPY")
PRICES = Prices(
    TUESDAY, {EUR: 1.1, JPY: 150.0, GBPJPY: 190.0}, {EUR: 1e-4, JPY: 0.01, GBPJPY: 0.02}
)
LONG = Holding("s", *EUR, 1.0, 1.05)


def known() -> covariance.Covariance:
    returns = np.random.default_rng(3).standard_normal((500, 3)) * 1e-4
    return covariance.estimate(returns, (EUR, GBPJPY, JPY), half_life=1e9, least=60)


def outcome(scenario: Scenario, *holdings: Holding, loses: float = math.inf) -> stress.Outcome:
    return stress.outcome(scenario, holdings, PRICES, "USD", known(), loses=loses)


def of(**fields: object) -> Scenario:
    return Scenario(name="s", version="1", title="t", source="hypothetical", **fields)


def test_a_currency_moves_its_pairs_by_base_against_quote() -> None:
    scenario = of(currencies={"GBP": -0.1, "JPY": 0.25})
    assert stress.move(scenario, "GBPJPY", TUESDAY) == pytest.approx(0.9 / 1.25 - 1)
    assert stress.move(scenario, "USDJPY", TUESDAY) == pytest.approx(1 / 1.25 - 1)
    assert stress.move(scenario, "EURUSD", TUESDAY) is None
    assert stress.move(of(symbols={"GBPJPY": 0.5}), "GBPJPY", TUESDAY) == 0.5


def test_profit_is_revalued_in_full_with_the_rate_after_the_move() -> None:
    done = outcome(of(currencies={"JPY": 0.25}), Holding("s", *JPY, 1.0, 160.0))
    before, after = 100_000 * (150 - 160) / 150, 100_000 * (120 - 160) / 120
    assert done.profit == pytest.approx(after - before)
    assert done.worst == JPY


def test_wider_spreads_cost_half_of_what_they_widen_by() -> None:
    assert outcome(of(spread_factor=10.0), LONG).profit == pytest.approx(-100_000 * 9e-4 / 2)


def test_who_cannot_close_for_an_hour_loses_deviations_of_it() -> None:
    done = outcome(of(away_hours=1.0, away_deviations=2.0), LONG)
    assert done.profit == pytest.approx(-2 * 110_000 * known().sigma[0] * math.sqrt(60))


def test_what_a_scenario_does_not_know_is_listed() -> None:
    done = outcome(of(currencies={"JPY": 0.1}), LONG, Holding("s", *JPY, 1.0, 150.0))
    assert done.untouched == ("EURUSD",)
    assert outcome(of(spread_factor=2.0), LONG).untouched == ()


def test_reverse_stress_is_the_multiple_that_loses_the_target() -> None:
    scenario = of(currencies={"EUR": -0.1})
    done = outcome(scenario, LONG, loses=5_000.0)
    move = 1 - 0.9**done.factor
    assert 110_000 * move == pytest.approx(5_000.0, rel=1e-6)
    assert outcome(scenario, Holding("s", *EUR, -1.0, 1.05), loses=5_000.0).factor == math.inf


def test_the_likeliest_move_loses_the_target_and_no_likelier_one_does() -> None:
    law, held = known(), {EUR: 110_000.0, JPY: -50_000.0}
    moves, days = stress.likeliest(held, law, 1_000.0)
    assert sum(held.get(f, 0.0) * m for f, m in moves.items()) == pytest.approx(-1_000.0)
    inverse = np.linalg.inv(law.matrix)
    best = np.array([moves[f] for f in law.known])
    distance = math.sqrt(best @ inverse @ best)
    assert distance / math.sqrt(1440) == pytest.approx(days)
    money = np.array([held.get(f, 0.0) for f in law.known])
    for other in np.random.default_rng(1).standard_normal((200, 3)):
        other = other * (-1_000.0 / (money @ other))
        assert math.sqrt(other @ inverse @ other) >= distance - 1e-9
    assert stress.likeliest({}, law, 1.0) == ({}, math.inf)


def test_a_position_without_a_price_or_a_rate_is_an_error() -> None:
    with pytest.raises(ConversionError, match="no price of x EURUSD"):
        stress.outcome(of(), [LONG], Prices(TUESDAY, {JPY: 150.0}, {}), "USD", known())
    held = [Holding("s", *GBPJPY, 1.0, 190.0)]
    with pytest.raises(ConversionError, match="no rate of JPY"):
        stress.outcome(of(), held, Prices(TUESDAY, {GBPJPY: 190.0}, {}), "USD", known())


GOOD = 'name = "a"\nversion = "1"\ntitle = "t"\nsource = "mine"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + "[symbols]\nEURUSDD = -0.1", "unknown symbol EURUSDD"),
        (GOOD + "[currencies]\nQQQ = -0.1", "unknown currency QQQ"),
        (GOOD + "[currencies]\nUSD = -0.1", "USD itself cannot"),
        (GOOD + "[currencies]\nEUR = -1.0", "100 % or more"),
        (GOOD + "[currencies]\nEUR = nan", "100 % or more"),
        (GOOD + "spread_factor = -1.0", "spread_factor"),
        (GOOD + "speed = 1.0", "speed"),
        (GOOD.replace("mine", " "), "source"),
        ("name = ", "no scenario"),
    ],
)
def test_a_file_with_a_mistake_is_named_with_it(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "own.toml").write_text(text)
    with pytest.raises(InputError, match=f"own.toml.*{problem}"):
        stress.available(tmp_path)


def test_own_scenarios_stand_beside_those_that_ship_and_win_by_name(tmp_path: Path) -> None:
    names = {s.name for s in stress.available(tmp_path)}
    assert names == {
        "franc-2015", "brexit-2016", "march-2020", "rates-shock", "spread-ten", "broker-away",
    }  # fmt: skip
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "own.toml").write_text(GOOD)
    (tmp_path / "scenarios" / "franc.toml").write_text(GOOD.replace('"a"', '"franc-2015"'))
    known_now = {s.name: s for s in stress.available(tmp_path)}
    assert set(known_now) == names | {"a"}
    assert known_now["franc-2015"].source == "mine"
    assert known_now["a"].version.startswith("1+")
    (tmp_path / "scenarios" / "twice.toml").write_text(GOOD)
    with pytest.raises(InputError, match="a second scenario"):
        stress.available(tmp_path)


def test_pre_trade_checks_get_the_same_to_first_order() -> None:
    scenario = of(currencies={"EUR": -0.1}, spread_factor=3.0, away_hours=4.0, away_deviations=1.0)
    sent = stress.shock(scenario, (EUR, JPY), PRICES)
    assert sent.moves == [pytest.approx(-0.1), 0.0]
    assert sent.spreads == [pytest.approx(2e-4 / 1.1), pytest.approx(0.02 / 150)]
    assert sent.deviations == pytest.approx(2.0)
