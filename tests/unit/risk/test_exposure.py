"""Positions to money, against arithmetic by hand and the account's own derivative."""

from datetime import UTC, datetime

import pytest

from risk import exposure
from risk.exposure import Holding

TUESDAY = int(datetime(2024, 3, 5, 12, tzinfo=UTC).timestamp()) * 1_000_000
EUR, JPY, GBPJPY = ("x", "EURUSD"), ("x", "USDJPY"), ("x", "GBPJPY")
MIDS = {EUR: 1.10, JPY: 150.0, GBPJPY: 190.0}


def of(*holdings: Holding, mids: dict = MIDS, account: str = "USD") -> exposure.Exposures:
    return exposure.exposures(holdings, mids, account, TUESDAY)


def test_a_pair_in_account_currency_is_worth_units_times_mid() -> None:
    held = of(Holding("s", *EUR, 0.5, 1.08))
    assert held.by_feed == {EUR: pytest.approx(55_000)}
    assert held.by_currency == {"EUR": pytest.approx(55_000), "USD": pytest.approx(-54_000)}


def test_strategies_against_each_other_cancel() -> None:
    held = of(Holding("a", *EUR, 0.5, 1.1), Holding("b", *EUR, -0.5, 1.1))
    assert held.by_feed == {EUR: pytest.approx(0.0)}


@pytest.mark.parametrize("feed", [JPY, GBPJPY])
def test_exposures_are_the_derivative_of_the_accounts_profit(feed: tuple[str, str]) -> None:
    """Conversion included: profit in yen, converted at the rate that moves."""
    lots, price = -0.3, MIDS[feed] * 1.02

    def profit(mids: dict) -> float:
        return lots * 100_000 * (mids[feed] - price) / mids[JPY]

    held = of(Holding("s", *feed, lots, price))
    for moved in {feed, JPY}:
        step = 1e-6
        up, down = ({**MIDS, moved: MIDS[moved] * (1 + s)} for s in (step, -step))
        slope = (profit(up) - profit(down)) / (2 * step)
        assert held.by_feed[moved] == pytest.approx(slope, rel=1e-6)


def test_no_rate_is_said_and_not_guessed() -> None:
    held = of(Holding("s", *GBPJPY, 1.0, 190.0), mids={GBPJPY: 190.0, EUR: 1.1})
    assert held.by_feed == {}
    assert held.missing == ("no rate of JPY in USD: x quotes neither JPYUSD nor USDJPY",)


def test_an_unknown_instrument_and_a_price_that_lacks_are_said() -> None:
    assert "no instrument NOPE" in of(Holding("s", "x", "NOPE", 1.0, 1.0)).missing[0]
    assert "no price of x USDJPY" in of(Holding("s", *JPY, 1.0, 1.0), mids={EUR: 1.1}).missing[0]


def test_swap_of_the_nights_ahead_counts_wednesday_three_times() -> None:
    # EURUSD long: -6.5 points a night, 1 lot: 6.5 dollars.
    held = of(Holding("s", *EUR, 1.0, 1.1))
    assert held.carry == {"1h": 0.0, "1d": pytest.approx(6.5)}
    hour = 3_600_000_000
    rollover = TUESDAY + 10 * hour  # 17:00 New York in winter
    assert exposure.nights(rollover - 1, rollover) == 1
    assert exposure.nights(rollover, rollover + 24 * hour) == 3
    assert exposure.nights(TUESDAY, TUESDAY + 7 * 24 * hour) == 7
