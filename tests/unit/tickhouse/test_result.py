"""An answer as Arrow, pandas and polars."""

import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from core.errors import TickhouseError
from tickhouse.result import Result

TIMES = pa.array([1_399_033_800_000_000], pa.timestamp("us", tz="UTC"))
ANSWER = Result(pa.table({"ts_event": TIMES, "bid": [1.5]}))


def test_an_answer_has_columns_and_a_length():
    assert ANSWER.columns == ("ts_event", "bid")
    assert len(ANSWER) == 1
    assert repr(ANSWER) == "<Result: 1 rows of ts_event, bid>"


def test_the_same_rows_as_pandas_and_polars_with_utc_times():
    frame = ANSWER.pandas()
    assert str(frame.ts_event.dt.tz) == "UTC"
    assert frame.bid.dtype == np.float64
    assert ANSWER.polars().equals(pl.DataFrame(ANSWER))
    assert ANSWER.polars().schema["ts_event"] == pl.Datetime("us", "UTC")
    assert ANSWER.arrow().num_rows == 1


def test_a_notebook_shows_the_first_rows_and_how_many_there_are():
    assert "<td>1.5</td>" in ANSWER._repr_html_()
    assert "1 rows" in ANSWER._repr_html_()


def test_without_polars_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(TickhouseError, match="pip install polars"):
        ANSWER.polars()
