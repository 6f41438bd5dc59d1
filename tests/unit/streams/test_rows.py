"""Rows of several messages become one block of the same rows."""

from dataclasses import replace

import numpy as np

from adapters.clickhouse.native import FLOATS, TEXT, TIME, Column, Runs, encode_block
from streams.rows import Rows, merge


def _rows(symbol: str, times: list[int], received: int) -> Rows:
    columns = (
        Column("source", TEXT, "oanda"),
        Column("symbol", TEXT, symbol),
        Column("ts_event", TIME, np.array(times, "<i8")),
        Column("ts_recv", TIME, received),
        Column("raw", "String", [str(time) for time in times]),
    )
    return Rows("tick", columns, len(times))


def test_one_part_stays_as_it_is() -> None:
    part = _rows("EURUSD", [1, 2], 5)
    assert merge([part]) is part


def test_equal_constants_stay_constant_and_others_are_rows_each() -> None:
    merged = merge([_rows("EURUSD", [1, 2], 5), _rows("XAUUSD", [3], 7)])
    source, symbol, time, received, raw = (column.values for column in merged.columns)
    assert merged.size == 3
    assert source == "oanda"
    assert symbol == Runs(("EURUSD", "XAUUSD"), (2, 1))
    assert np.array_equal(time, [1, 2, 3])
    assert np.array_equal(received, [5, 5, 7])
    assert raw == ["1", "2", "3"]


def test_what_is_merged_already_merges_again_in_any_order() -> None:
    two, third = merge([_rows("EURUSD", [1, 2], 5), _rows("XAUUSD", [3], 7)]), _rows("X", [4], 9)
    assert merge([two, third]).columns[1].values == Runs(("EURUSD", "XAUUSD", "X"), (2, 1, 1))
    assert merge([third, two]).columns[1].values == Runs(("X", "EURUSD", "XAUUSD"), (1, 2, 1))
    assert np.array_equal(merge([third, two]).columns[3].values, [9, 5, 5, 7])


def test_a_list_of_a_state_of_before_merges_with_runs() -> None:
    two = merge([_rows("EURUSD", [1], 5), _rows("XAUUSD", [3], 7)])
    kept = [replace(c, values=["A", "B"] if c.name == "symbol" else c.values) for c in two.columns]
    merged = merge([Rows("tick", kept, 2), two, _rows("X", [4], 9)])
    assert merged.columns[1].values == ["A", "B", "EURUSD", "XAUUSD", "X"]


def test_a_merged_block_encodes_like_the_same_rows_written_as_lists() -> None:
    merged = merge([_rows("EURUSD", [1, 2], 5), _rows("XAUUSD", [3], 7)])
    lists = (
        Column("source", TEXT, "oanda"),
        Column("symbol", TEXT, ["EURUSD", "EURUSD", "XAUUSD"]),
        Column("ts_event", TIME, np.array([1, 2, 3], "<i8")),
        Column("ts_recv", TIME, np.array([5, 5, 7], "<i8")),
        Column("raw", "String", ["1", "2", "3"]),
    )
    assert encode_block(merged.columns) == encode_block(lists)


def test_arrays_of_models_with_fewer_members_are_filled_up_with_nan() -> None:
    def part(width: int) -> Rows:
        return Rows("p", (Column("m", FLOATS, np.ones((2, width), np.float32)),), 2)

    merged = merge([part(6), part(9)])
    (column,) = merged.columns
    assert isinstance(column.values, np.ndarray)
    assert column.values.shape == (4, 9)
    assert np.isnan(column.values[:2, 6:]).all()
    assert len(encode_block(merged.columns)) > 4 * 9 * 4
