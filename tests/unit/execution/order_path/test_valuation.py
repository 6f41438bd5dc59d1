import numpy as np
import pytest

from core.contracts.tick import TICK
from execution.order_path.quotes import LiveQuotes
from execution.order_path.valuation import MAX_AGE_US, notional, rate


@pytest.fixture
def quotes() -> LiveQuotes:
    live, tick = LiveQuotes(), np.zeros(1, TICK)
    for symbol, price in (("EURUSD", 1.25), ("USDJPY", 100.0)):
        tick["time_msc"], tick["bid"], tick["ask"] = 1000, price, price
        live.feed("oanda", symbol, tick)
    return live


def test_a_rate_is_the_pairs_mid_or_its_inverse(quotes: LiveQuotes) -> None:
    now = 1_000_000
    assert rate(quotes, "oanda", "USD", "USD", now) == 1.0
    assert rate(quotes, "oanda", "EUR", "USD", now) == 1.25
    assert rate(quotes, "oanda", "JPY", "USD", now) == 0.01
    assert rate(quotes, "oanda", "CHF", "USD", now) is None
    assert rate(quotes, "fxcm", "EUR", "USD", now) is None


def test_a_rate_of_an_hour_counts_and_an_older_one_does_not(quotes: LiveQuotes) -> None:
    assert rate(quotes, "oanda", "EUR", "USD", 1_000_000 + MAX_AGE_US) == 1.25
    assert rate(quotes, "oanda", "EUR", "USD", 1_000_001 + MAX_AGE_US) is None


def test_notional_is_lots_times_units_times_price_times_rate() -> None:
    assert notional(-0.5, 100_000, 1.2, 1.0) == pytest.approx(60_000)
    assert notional(1.0, 100_000, 150.0, 0.01) == pytest.approx(150_000)
    assert notional(1.0, 100_000, 150.0, None) is None
