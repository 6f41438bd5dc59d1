"""T+1 by the holidays that a firm wrote down, and what is not known of them."""

from datetime import date
from pathlib import Path

import pytest

from core.errors import SettingsError
from reports import holidays

FILE = """
[authority]
source = "https://authority.example/calendar"
dated = 2026-11-01
until = 2026-12-31
days = [2026-12-25]

[venues.oanda]
source = "https://venue.example/hours"
dated = 2026-11-01
until = 2026-12-31
days = [2026-12-25, 2026-12-31]
"""


def test_due_dates_skip_weekends_and_the_authority_s_holidays(tmp_path: Path) -> None:
    holidays.path_in(tmp_path).write_text(FILE)
    authority = holidays.load(tmp_path).authority
    christmas_eve = date(2026, 12, 24)
    assert holidays.due(christmas_eve, None) == date(2026, 12, 25)
    assert holidays.due(christmas_eve, authority) == date(2026, 12, 28)
    assert holidays.due(date(2026, 11, 20), authority) == date(2026, 11, 23)


def test_what_the_list_does_not_reach_is_said(tmp_path: Path) -> None:
    assert holidays.load(tmp_path) == holidays.Calendar()
    assert holidays.caveat(date(2026, 12, 28), None) == "no holidays known"
    holidays.path_in(tmp_path).write_text(FILE)
    authority = holidays.load(tmp_path).authority
    assert holidays.caveat(date(2026, 12, 28), authority) == ""
    assert holidays.caveat(date(2027, 1, 4), authority) == "holidays known until 2026-12-31"


def test_a_day_is_closed_when_every_venue_that_is_named_says_so(tmp_path: Path) -> None:
    assert not holidays.closed(date(2026, 12, 25), holidays.load(tmp_path))
    other = FILE[FILE.index("[venues") :].replace("oanda", "fxcm").replace(", 2026-12-31]", "]")
    holidays.path_in(tmp_path).write_text(FILE + other)
    calendar = holidays.load(tmp_path)
    assert holidays.closed(date(2026, 12, 25), calendar)
    assert not holidays.closed(date(2026, 12, 31), calendar)


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    holidays.path_in(tmp_path).write_text(FILE.replace("days = [2026-12-25]", 'days = ["soon"]'))
    with pytest.raises(SettingsError, match=r"holidays\.toml: .*authority"):
        holidays.load(tmp_path)
