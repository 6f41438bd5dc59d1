"""Dated offsets between a broker's wall clock and UTC."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mt5.real.server_clock import OffsetRule, ServerClock
from core.errors import SettingsError

START = datetime(2020, 1, 1, tzinfo=UTC)
NEW_YORK_7 = ServerClock([OffsetRule(START, "America/New_York", 7 * 3600)])
SUMMER_ENDS = int(datetime(2024, 11, 3, 6, tzinfo=UTC).timestamp())  # 02:00 in New York


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc]


def test_new_york_plus_seven_is_three_hours_in_summer_and_two_in_winter() -> None:
    assert NEW_YORK_7.offset_s(seconds(2024, 7, 1)) == 3 * 3600
    assert NEW_YORK_7.offset_s(seconds(2024, 12, 1)) == 2 * 3600
    assert NEW_YORK_7.offset_s(SUMMER_ENDS - 1) == 3 * 3600
    assert NEW_YORK_7.offset_s(SUMMER_ENDS) == 2 * 3600


def test_a_trading_day_begins_at_the_servers_midnight() -> None:
    new_york = datetime(2024, 3, 20, 17, tzinfo=ZoneInfo("America/New_York")).timestamp()
    assert NEW_YORK_7.to_server(new_york) % 86_400 == 0


@given(st.integers(seconds(2019, 1, 1) * 1000, seconds(2031, 1, 1) * 1000))
def test_there_and_back_but_for_the_hour_that_repeats(utc_msc: int) -> None:
    there = round(NEW_YORK_7.to_server(utc_msc / 1000) * 1000)
    back = int(NEW_YORK_7.to_utc_msc(np.array([there], np.int64))[0])
    assert back in (utc_msc, utc_msc + 3_600_000)  # the later of two
    if NEW_YORK_7.offset_s(utc_msc / 1000) == NEW_YORK_7.offset_s(utc_msc / 1000 + 3600):
        assert back == utc_msc
        assert NEW_YORK_7.to_utc(there / 1000) == pytest.approx(utc_msc / 1000, abs=1e-6)


def test_an_array_over_a_change_of_clocks_is_read_piece_by_piece() -> None:
    utc = np.array([SUMMER_ENDS - 90_000, SUMMER_ENDS + 10, SUMMER_ENDS + 90_000], np.int64) * 1000
    server = np.array([round(NEW_YORK_7.to_server(t / 1000) * 1000) for t in utc.tolist()])
    assert NEW_YORK_7.to_utc_msc(server).tolist() == utc.tolist()
    assert len(NEW_YORK_7.to_utc_msc(np.zeros(0, np.int64))) == 0


def test_a_later_rule_holds_from_its_date() -> None:
    moved = datetime(2023, 5, 1, tzinfo=UTC)
    clock = ServerClock([OffsetRule(START, "", 7200), OffsetRule(moved, "", 3600)])
    assert clock.offset_s(moved.timestamp() - 1) == 7200
    assert clock.offset_s(moved.timestamp()) == 3600
    assert clock.offset_s(0) == 7200  # before the first rule: the first


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([], "tickhouse connect"),
        ([OffsetRule(START), OffsetRule(START)], "order"),
        ([OffsetRule(START, "Europe/Atlantis")], "no zone 'Europe/Atlantis'"),
        ([OffsetRule(START, "", 100)], "quarters"),
        ([OffsetRule(datetime(2020, 1, 1))], "UTC"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rules: list[OffsetRule], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        ServerClock(rules)
