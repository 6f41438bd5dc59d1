"""Messages become rows: written with our encoder, read back through the engine."""

from datetime import date

import numpy as np
import pytest

from adapters.clickhouse.native import TIME, Column
from adapters.clickhouse.rows import (
    as_stored,
    instrument_columns,
    latency_columns,
    message_columns,
    process_columns,
    quarantine_columns,
    received_us,
    run_columns,
    tick_columns,
)
from adapters.clickhouse.writer import Writer
from core.contracts.operations import Heartbeat
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TICK, QuarantineBatch, QuarantinedTick, on_price_grid
from core.instruments import shipped
from core.metrics import bucket_upper_ns
from core.sections import RunSettings
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

NOW_US = 1_400_000_000_123_456


def store(warehouse: Warehouse, table: str, columns: list[Column]) -> None:
    with Writer(warehouse.settings) as writer:
        writer.insert(table, columns)


def test_prices_come_back_with_the_bits_they_were_written_with(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(3)
    ticks = np.zeros(5000, TICK)
    ticks["time_msc"] = NOW_US // 1000 + np.arange(5000)
    ticks["bid"] = on_price_grid(rng.uniform(0.0001, 90_000, 5000))
    ticks["ask"] = on_price_grid(ticks["bid"] * 1.0001)
    ticks["flags"], ticks["quality"], ticks["volume"] = 6, 4, rng.random(5000)
    ticks["ts_recv_us"] = NOW_US
    store(warehouse, "tick", tick_columns("s", "X", ticks))
    columns = warehouse.client.query(
        "SELECT time_msc, toFloat64(bid), toFloat64(ask), volume, flags, quality, "
        "toUnixTimestamp64Micro(ts_recv) FROM tick ORDER BY ts_event",
        column_oriented=True,
    ).result_columns
    names = ("time_msc", "bid", "ask", "volume", "flags", "quality", "ts_recv_us")
    for name, column in zip(names, columns, strict=True):
        np.testing.assert_array_equal(ticks[name], np.array(column), err_msg=name)


def test_ticks_of_before_an_upgrade_that_a_flow_still_holds_fit_the_table_of_now() -> None:
    ticks = np.zeros(3, TICK)
    ticks["time_msc"], ticks["ts_recv_us"] = NOW_US // 1000, NOW_US + np.arange(3) * 7 - 5
    now = tick_columns("s", "X", ticks)
    received = Column("ts_recv", TIME, ticks["ts_recv_us"])
    before = [received if column.name == "recv_after_us" else column for column in now]
    assert as_stored(now) is now
    for column, expected in zip(as_stored(before), now, strict=True):
        assert (column.name, column.type) == (expected.name, expected.type)
        np.testing.assert_array_equal(column.values, expected.values)
    np.testing.assert_array_equal(received_us(now), ticks["ts_recv_us"])


def test_an_order_event_is_a_row(warehouse: Warehouse) -> None:
    event = OrderEvent(
        *(7, "o.1", EventKind.FILLED, "r", "replay", "a", "s", "o", "g", "x", "Y"),
        *(NOW_US, NOW_US + 1, "buy"),
        volume=0.1,
        venue_deal=2**40,
    )
    store(warehouse, "order_event", message_columns([event]))
    row = warehouse.client.query(
        "SELECT seq, kind, venue_deal, volume, toUnixTimestamp64Micro(ts_init) FROM order_event"
    ).result_rows[0]
    assert row == (7, "filled", 2**40, 0.1, NOW_US + 1)


def test_a_signals_horizon_and_expiry_are_times(warehouse: Warehouse) -> None:
    signal = Signal(
        *("i", "r", "replay", "a", "s", "x", "Y", NOW_US, NOW_US, 1, 2),
        *(-1.0, 1.5, 1.6, NOW_US + 9, NOW_US + 2, 0.5, "m", "p"),
    )
    store(warehouse, "signal", message_columns([signal]))
    row = warehouse.client.query(
        "SELECT toUnixTimestamp64Micro(ts_horizon), toUnixTimestamp64Micro(ts_expires), target "
        "FROM signal"
    ).result_rows[0]
    assert row == (NOW_US + 9, NOW_US + 2, -1.0)


def test_a_quarantined_tick_keeps_its_reason_and_text(warehouse: Warehouse) -> None:
    batch = QuarantineBatch(
        *("r", "replay", "s", "X", "a.csv"),
        [QuarantinedTick(4, 0, "unparseable", "1;2;ü"), QuarantinedTick(9, 5, "nan", "")],
    )
    store(warehouse, "tick_quarantine", quarantine_columns(batch, NOW_US))
    rows = warehouse.client.query(
        "SELECT row, time_msc, reason, raw, origin FROM tick_quarantine ORDER BY row"
    ).result_rows
    assert list(rows) == [(4, 0, "unparseable", "1;2;ü", "a.csv"), (9, 5, "nan", "", "a.csv")]


def test_the_newest_heartbeat_of_a_process_says_how_it_is(warehouse: Warehouse) -> None:
    beats = [
        Heartbeat(
            run_id="r",
            mode="live",
            process="streams",
            incarnation_us=10,
            seq=seq,
            ts_event_us=NOW_US + seq,
            status=status,
            detail="",
            stages={},
            max_ns={},
        )
        for seq, status in ((1, "starting"), (2, "ready"))
    ]
    for beat in beats:
        store(warehouse, "process_state", process_columns([beat]))
    rows = warehouse.client.query(
        "SELECT process, incarnation, heartbeat, status FROM process_state FINAL"
    ).result_rows
    assert list(rows) == [("streams", 10, 2, "ready")]


def test_a_heartbeats_histograms_are_rows_and_a_repeat_adds_nothing(warehouse: Warehouse) -> None:
    beat = Heartbeat(
        *("r", "live", "streams", 10, 3, NOW_US, "ready", ""),
        {"feature": {5: 2, 900: 1}, "predict": {7: 4}},
        {"feature": 12345, "predict": 7},
    )
    store(warehouse, "stage_latency", latency_columns([beat]))
    store(warehouse, "stage_latency", latency_columns([beat, beat]))
    rows = warehouse.client.query(
        "SELECT stage, bucket, upper_ns, count, max_ns FROM stage_latency FINAL "
        "ORDER BY stage, bucket"
    ).result_rows
    assert list(rows) == [
        ("feature", 5, 5, 2, 12345),
        ("feature", 900, bucket_upper_ns(900), 1, 12345),
        ("predict", 7, 7, 4, 7),
    ]


def test_a_run_is_a_row(warehouse: Warehouse) -> None:
    columns = run_columns(
        RunSettings(run_id="r-1", mode="replay"),
        span_us=(NOW_US, NOW_US + 5),
        status="reconciled",
        inputs="[]",
        settings="{}",
        feature_set_hash="f",
        model="",
    )
    store(warehouse, "run", columns)
    rows = warehouse.client.query(
        "SELECT run_id, mode, status, toUnixTimestamp64Micro(ts_end) FROM run"
    ).result_rows
    assert list(rows) == [("r-1", "replay", "reconciled", NOW_US + 5)]


def test_reference_data_is_stored_with_its_date(warehouse: Warehouse) -> None:
    entries = [entry for book in shipped().values() for entry in book]
    store(warehouse, "instrument", instrument_columns("shipped", entries))
    rows = warehouse.client.query("SELECT symbol, valid_from, digits FROM instrument").result_rows
    assert set(rows) == {(e.symbol, e.valid_from, e.digits) for e in entries}
    assert isinstance(rows[0][1], date)
