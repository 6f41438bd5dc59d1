"""Times as text: every valid one is read as datetime does, nothing else is a time."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.times import Layout, read_times
from tests.unit.adapters.files.test_numbers import column

LAYOUTS = (Layout("YYYYmmdd HHMMSSfff"), Layout("YYYY-mm-dd_HH:MM:SS.ffffff+zz:ww"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.lists(st.datetimes(datetime(1, 1, 2)), min_size=1, max_size=10))
def test_compact_times_are_what_datetime_says(moments):
    texts = [f"{m.year:04}{m:%m%d %H%M%S}{m.microsecond // 1000:03}" for m in moments]
    read = read_times(column(texts), LAYOUTS)
    assert read.valid.all()
    assert not read.has_offset.any()
    expected = [(m.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1) for m in moments]
    assert read.msc.tolist() == expected


@given(st.text("0123456789", min_size=17, max_size=17))
def test_digits_that_are_no_date_are_refused(digits):
    text = f"{digits[:8]} {digits[8:]}"
    read = read_times(column([text]), LAYOUTS)
    try:
        datetime.strptime(text + "000", "%Y%m%d %H%M%S%f")
        is_time = len(text) == 18
    except ValueError:
        is_time = False
    assert bool(read.valid[0]) == is_time


def test_layouts_are_told_by_length_and_offsets_are_taken_off():
    texts = ["20200101 170000065", "2013-01-01T22:00:00.295999-05:30", "2013", "20200101 1700000.5"]
    read = read_times(column(texts), LAYOUTS)
    assert read.valid.tolist() == [True, True, False, False]
    assert read.has_offset.tolist()[:2] == [False, True]
    assert read.msc[1] == 1_357_097_400_295
    assert np.datetime64(int(read.msc[0]), "ms") == np.datetime64("2020-01-01T17:00:00.065")
