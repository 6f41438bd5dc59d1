"""Bars from real ticks, compared with bars somebody else made of the same market."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from adapters.clickhouse import migrate
from adapters.clickhouse.native import encode_block
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer, token_of
from core.contracts.tick import TICK, TickArray
from tests.support.reference_ticks import DATA, reference_ticks
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

SYMBOLS = ("EURUSD", "NZDUSD", "XAUUSD")
UNITS = 100_000_000
START = 1_400_000_000_000 // 3_600_000 * 3_600_000
STATES = (
    "ts_open, hex(bid_open), bid_high, bid_low, hex(bid_close), hex(ask_close), spread_max, "
    "hex(tick_count)"
)
BARS_OF_HOURS = Path(migrate.__file__).with_name("bars_of_hours.sql")


@pytest.fixture(autouse=True)
def _empty(warehouse: Warehouse) -> Iterator[None]:
    yield
    empty_tables(warehouse)


def insert(
    warehouse: Warehouse, source: str, symbol: str, ticks: TickArray, salt: str = ""
) -> None:
    with Writer(warehouse.settings) as writer:
        for first in range(0, len(ticks), 100_000):
            columns = tick_columns(source, symbol, ticks[first : first + 100_000])
            writer.insert("tick", columns, token_of(encode_block(columns)) + salt)


def made_ticks(time_msc: list[int], bid: list[float], seq: list[int] | None = None) -> TickArray:
    ticks = np.zeros(len(time_msc), TICK)
    ticks["time_msc"], ticks["bid"], ticks["seq"] = time_msc, bid, seq or 0
    ticks["ask"] = ticks["bid"] + 0.5
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


def minute_bars(warehouse: Warehouse, symbol: str) -> np.ndarray:
    rows = warehouse.client.query(
        "SELECT toUnixTimestamp64Milli(ts_open), "
        "reinterpretAsInt64(bid_open), reinterpretAsInt64(bid_high), reinterpretAsInt64(bid_low), "
        "reinterpretAsInt64(bid_close), reinterpretAsInt64(ask_close) "
        "FROM bar WHERE interval = '1m' AND symbol = {s:String} ORDER BY ts_open",
        parameters={"s": symbol},
    ).result_rows
    return np.array(rows, np.int64)


def reference_bars(symbol: str) -> np.ndarray:
    table = pq.read_table(DATA / "bars" / f"{symbol}_m1_oanda.parquet")
    prices = [
        np.rint(table[c].to_numpy() * UNITS).astype(np.int64)
        for c in ("open", "high", "low", "close", "ask_close")
    ]
    return np.column_stack([table["time_msc"].to_numpy(), *prices])


def tick_counts(warehouse: Warehouse, interval: str) -> int:
    rows = warehouse.client.query(
        "SELECT sum(tick_count) FROM bar WHERE interval = {i:String}", parameters={"i": interval}
    ).result_rows
    return int(rows[0][0])


@pytest.mark.slow
@pytest.mark.usefixtures("reference_data")
def test_minute_bars_equal_the_independent_ones_also_after_every_block_came_twice(
    warehouse: Warehouse,
) -> None:
    recorded = {symbol: reference_ticks(f"{symbol}_oanda") for symbol in SYMBOLS}
    total = sum(map(len, recorded.values()))
    for salt in ("", "again"):
        for symbol, ticks in recorded.items():
            insert(warehouse, "oanda", symbol, ticks, salt)
            np.testing.assert_array_equal(minute_bars(warehouse, symbol), reference_bars(symbol))
        for interval in ("1s", "1m", "5m", "1h"):
            assert tick_counts(warehouse, interval) == total


def test_more_than_1024_ticks_in_one_millisecond_are_all_counted(warehouse: Warehouse) -> None:
    count = 5000
    ticks = made_ticks([START] * count, [1.0] * count, list(range(count)))
    insert(warehouse, "a", "X", ticks)
    insert(warehouse, "a", "X", ticks[100:200], "again")
    assert [tick_counts(warehouse, i) for i in ("1s", "1m", "5m", "1h")] == [count] * 4


def test_ticks_that_arrive_out_of_order_open_and_close_by_market_time(warehouse: Warehouse) -> None:
    insert(warehouse, "a", "X", made_ticks([START + 5000, START + 9000], [2.0, 4.0]))
    insert(warehouse, "a", "X", made_ticks([START + 7000, START + 1000], [9.0, 1.0]))
    for interval in ("1m", "5m", "1h"):
        rows = warehouse.client.query(
            "SELECT bid_open, bid_high, bid_low, bid_close, ask_close, spread_max, tick_count "
            "FROM bar WHERE interval = {i:String}",
            parameters={"i": interval},
        ).result_rows
        assert [tuple(map(float, row)) for row in rows] == [(1.0, 9.0, 1.0, 4.0, 4.5, 0.5, 4.0)]


def test_the_states_are_those_of_a_plain_aggregation_bit_for_bit(warehouse: Warehouse) -> None:
    random = np.random.default_rng(3)
    times = (START + random.integers(0, 400_000, 20_000)).tolist()  # in no order, some alike
    ticks = made_ticks(times, random.integers(1, 99, 20_000).tolist(), list(range(20_000)))
    ticks["seq"][:2] = 2**32 - 1, 0
    insert(warehouse, "a", "X", ticks)
    stored = warehouse.client.query(f"SELECT {STATES} FROM bar_1m ORDER BY ts_open").result_rows
    plain = BARS_OF_HOURS.read_text().partition("INSERT INTO bar_1m")[2].partition("SETTINGS")[0]
    whole = {"source": "a", "symbol": "X", "first_msc": START, "end_msc": START + 3_600_000}
    hours = {"hours": [START // 1000]}
    again = warehouse.client.query(
        f"SELECT {STATES} FROM ({plain}) ORDER BY ts_open", parameters=whole | hours
    ).result_rows
    assert len(stored) == 7
    assert stored == again


def test_two_sources_of_one_symbol_have_bars_of_their_own(warehouse: Warehouse) -> None:
    insert(warehouse, "oanda", "EURUSD", made_ticks([START], [1.0]))
    insert(warehouse, "fxcm", "EURUSD", made_ticks([START], [2.0]))
    rows = warehouse.client.query(
        "SELECT source, toFloat64(bid_open) FROM bar WHERE interval = '1h' ORDER BY source"
    ).result_rows
    assert list(rows) == [("fxcm", 2.0), ("oanda", 1.0)]


def test_the_view_has_the_published_columns(warehouse: Warehouse) -> None:
    names = [row[0] for row in warehouse.client.query("DESCRIBE TABLE bar").result_rows]
    assert names == [
        *("source", "symbol", "interval", "ts_open", "bid_open", "bid_high", "bid_low"),
        *("bid_close", "ask_close", "spread_max", "tick_count"),
    ]


def test_a_filter_on_interval_reads_only_its_own_table(warehouse: Warehouse) -> None:
    step = 250
    count = 40_000
    insert(warehouse, "a", "X", made_ticks([START + i * step for i in range(count)], [1.0] * count))
    hours = warehouse.client.query("SELECT * FROM bar WHERE interval = '1h'")
    minutes = warehouse.client.query("SELECT * FROM bar WHERE interval = '1m'")
    assert int(hours.summary["read_rows"]) == hours.row_count == 3
    assert int(minutes.summary["read_rows"]) == minutes.row_count == 167


def test_one_second_bars_read_only_the_time_asked_for(warehouse: Warehouse) -> None:
    count = 200_000
    insert(warehouse, "a", "X", made_ticks([START + i * 100 for i in range(count)], [1.0] * count))
    answer = warehouse.client.query(
        "SELECT ts_open, tick_count FROM bar WHERE interval = '1s' AND source = 'a' "
        "AND symbol = 'X' AND ts_open >= toDateTime64({a:Int64}, 6, 'UTC') "
        "AND ts_open < toDateTime64({b:Int64}, 6, 'UTC')",
        parameters={"a": START // 1000 + 100, "b": START // 1000 + 110},
    )
    assert [row[1] for row in answer.result_rows] == [10] * 10
    assert int(answer.summary["read_rows"]) < count / 2
