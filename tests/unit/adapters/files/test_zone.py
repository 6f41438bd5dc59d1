"""Zones: fixed, named, shifted; hours that happen twice or not at all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.zone import LocalClock, Zone


def msc(text: str) -> int:
    return int(np.datetime64(text, "ms").astype(np.int64))


def utc(zone: str, *local: str, cut: int | None = None) -> tuple[list[str], list[bool]]:
    clock, times = LocalClock(Zone(zone)), np.array([msc(t) for t in local])
    parts = [times] if cut is None else [times[:cut], times[cut:]]
    read = [clock.to_utc(part) for part in parts]
    texts = [str(np.datetime64(int(t), "ms"))[:16] for time, _ in read for t in time]
    return texts, [bool(e) for _, exists in read for e in exists]


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC", "12:00", "12:00"),
        ("EST", "17:00", "17:00"),
        ("+02:00", "10:00", "10:00"),
        ("-0330", "15:30", "15:30"),
        ("UTC+3", "09:00", "09:00"),
        ("Etc/GMT-3", "09:00", "09:00"),
        ("Europe/Athens", "10:00", "09:00"),
        ("America/New_York", "17:00", "16:00"),
        ("America/New_York+07:00", "10:00", "09:00"),
    ],
)
def test_noon_local_time_in_utc(zone, winter, summer):
    times, exists = utc(zone, "2024-01-15T12:00", "2024-07-15T12:00")
    assert times == [f"2024-01-15T{winter}", f"2024-07-15T{summer}"]
    assert all(exists)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "+99:00", "Europe/Athens+x"])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(ValueError, match=r"zone|offset"):
        Zone(name)


@pytest.mark.parametrize("cut", [None, 1, 2, 3, 4, 5])
def test_an_hour_that_happens_twice_is_told_apart_by_the_files_order(cut):
    local = [f"2024-10-27T{t}" for t in ("02:59", "03:10", "03:50", "03:05", "03:55", "04:01")]
    times, exists = utc("Europe/Athens", *local, cut=cut)
    assert [t[11:] for t in times] == ["23:59", "00:10", "00:50", "01:05", "01:55", "02:01"]
    assert all(exists)


def test_the_second_pass_ends_with_the_hour():
    local = ("2024-10-27T03:50", "2024-10-27T03:05", "2024-10-27T05:00", "2024-10-27T03:30")
    assert utc("Europe/Athens", *local)[0][3] == "2024-10-27T01:30"  # back again: second pass
    later = ("2024-10-27T03:50", "2024-10-27T03:05", "2024-10-27T05:00", "2025-10-26T03:30")
    assert utc("Europe/Athens", *later)[0][3] == "2025-10-26T00:30"


def test_times_skipped_in_spring_did_not_exist():
    local = ("2024-03-31T02:59", "2024-03-31T03:00", "2024-03-31T03:59", "2024-03-31T04:00")
    times, exists = utc("Europe/Athens", *local)
    assert exists == [True, False, False, True]
    assert (times[0], times[3]) == ("2024-03-31T00:59", "2024-03-31T01:00")


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from(["Europe/Athens", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_a_moment_written_locally_and_read_again_is_the_same(moment, name):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(name))
    if local.fold == 0:
        written = np.array([msc(local.replace(tzinfo=None).isoformat())])
        read, exists = LocalClock(Zone(name)).to_utc(written)
        assert exists.all()
        assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(read[0])) == moment
