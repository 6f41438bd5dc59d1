from datetime import UTC, datetime

import pytest

from cli.diagnostics.feeds import feed, market_text, next_open_us


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("symbol", "now", "opens"),
    [
        ("EURUSD", "2014-05-10 12:00", "2014-05-11 21:00"),  # summer: 17:00 New York is 21:00 UTC
        ("EURUSD", "2014-12-13 12:00", "2014-12-14 22:00"),  # winter
        ("XAUUSD", "2014-05-07 21:30", "2014-05-07 22:00"),  # the daily break
    ],
)
def test_a_closed_market_says_when_it_opens(symbol: str, now: str, opens: str) -> None:
    result = feed("sim", symbol, us(now) - 1, 0, us(now))
    assert result.market == "closed"
    assert result.opens_us == us(opens)
    assert not result.stale
    assert datetime.fromisoformat(opens).strftime("%H:%M UTC") in market_text(result)


def test_an_open_market_without_ticks_for_a_minute_is_stale() -> None:
    now = us("2014-05-07 12:00")
    assert not feed("sim", "EURUSD", now - 59_000_000, 0, now).stale
    assert feed("sim", "EURUSD", now - 61_000_000, 0, now).stale
    assert feed("sim", "EURUSD", 0, now - 61_000_000, now).stale


def test_a_stack_has_a_minute_to_bring_its_first_tick() -> None:
    now = us("2014-05-07 12:00")
    yesterday, just_now = now - 86_400_000_000, now - 5_000_000
    assert not feed("sim", "EURUSD", yesterday, just_now, now).stale
    assert not feed("sim", "EURUSD", 0, just_now, now).stale


def test_a_symbol_without_reference_data_is_never_called_stale() -> None:
    result = feed("sim", "DOGEUSD", 0, 0, us("2014-05-07 12:00"))
    assert (result.market, result.stale) == ("unknown", False)


def test_the_next_opening_is_an_opening() -> None:
    saturday = us("2024-03-09 10:00")  # New York changes its clocks in the night to come
    assert next_open_us("forex", saturday) == us("2024-03-10 21:00")
