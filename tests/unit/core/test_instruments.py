"""Instruments, sessions and the trading day."""

from datetime import UTC, date, datetime

import pytest

from core.errors import SettingsError
from core.instruments import instrument, is_open, load, trading_day


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("session", "time", "expected"),
    [
        ("forex", "2014-05-09T20:59:59", True),  # Friday, a second before 17:00 New York
        ("forex", "2014-05-09T21:00:00", False),
        ("forex", "2014-05-11T20:59:59", False),
        ("forex", "2014-05-11T21:00:00", True),  # Sunday 17:00 New York
        ("forex", "2014-12-14T21:30:00", False),  # winter: an hour later in UTC
        ("metal", "2014-05-07T21:30:00", False),  # the daily pause
        ("metal", "2014-05-07T22:00:00", True),
        ("always", "2014-05-10T12:00:00", True),
    ],
)
def test_sessions_follow_new_york(session, time, expected):
    assert is_open(session, at(time)) is expected


def test_a_trading_day_ends_at_five_in_new_york():
    assert trading_day(at("2014-05-07T20:59:59")) == date(2014, 5, 7)
    assert trading_day(at("2014-05-07T21:00:00")) == date(2014, 5, 8)


def test_a_dated_entry_replaces_the_earlier_one_from_its_day(tmp_path):
    shipped = load()["EURUSD"][0]
    text = "\n".join(
        f'[[instrument]]\nsymbol="EURUSD"\nvalid_from={day}\ndescription=""\ndigits={digits}\n'
        f'contract_size=1.0\nbase="EUR"\nquote="USD"\nvolume_min=0.01\nvolume_max=1.0\n'
        f"volume_step=0.01\nmargin_rate=0.1\ncommission=0.0\nswap_long=0.0\nswap_short=0.0\n"
        f'session="forex"'
        for day, digits in (("2020-01-01", 5), ("2010-01-01", 4))
    )
    path = tmp_path / "instruments.toml"
    path.write_text(text)
    book = load(path)
    assert instrument("EURUSD", at("2015-01-01T00:00:00"), book).digits == 4
    assert instrument("EURUSD", at("2020-01-01T00:00:00"), book).digits == 5
    assert instrument("EURUSD", at("2005-01-01T00:00:00"), book) is None
    assert shipped.point == pytest.approx(1e-5)


def test_an_unknown_field_is_refused_with_the_file_name(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[instrument]]\nsymbol="EURUSD"\ndigit=5\n')
    with pytest.raises(SettingsError, match=r"mine\.toml"):
        load(path)
