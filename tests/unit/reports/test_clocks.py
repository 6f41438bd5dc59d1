"""What is measured becomes rows; what does not answer is left out; live ticks bound a broker."""

from pathlib import Path

import numpy as np
import pytest

from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from adapters.clocks import chrony, kernel
from adapters.clocks.reading import ClockReading
from core.clock import ManualClock, SystemClock
from core.contracts.tick import TICK
from core.sections import ReportSettings
from core.settings import Settings
from reports import clocks
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
CHRONY = ClockReading(
    source="time.example", method="chrony", stratum=2, offset_us=-4.0, uncertainty_us=30.0,
    traceable=True, synchronised=True, detail="leap: Normal",
)  # fmt: skip


def test_references_that_answer_are_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrony, "read", lambda: CHRONY)
    monkeypatch.setattr(kernel, "read", lambda: None)
    [row] = clocks.measure(ReportSettings(), ManualClock(5), "desk-1")
    assert (row.host, row.source, row.method, row.ts_event_us) == (
        "desk-1", "time.example", "chrony", 5,
    )  # fmt: skip
    assert (row.offset_us, row.uncertainty_us, row.granularity_us >= 1) == (-4.0, 30.0, True)


def test_the_quickest_live_tick_bounds_a_broker_and_old_ticks_say_nothing(
    warehouse: Warehouse,
) -> None:
    empty_tables(warehouse)
    now_us, late_us = SystemClock().now_us(), np.array([9_000, 4_000, 6_000])
    with Writer(warehouse.settings) as writer:
        for source, age_us in (("oanda", 1_000_000), ("old", 3_600_000_000)):
            ticks = np.zeros(3, TICK)
            ticks["time_msc"] = (now_us - age_us) // 1000 + np.arange(3)
            ticks["ts_recv_us"] = ticks["time_msc"] * 1000 + late_us
            writer.insert("tick", tick_columns(source, "EURUSD", ticks))
    [row] = clocks.of_brokers(warehouse.client, SystemClock())
    assert (row.source, row.traceable, row.stamp_point) == (
        "broker oanda", False, "ts_event of ticks",
    )  # fmt: skip
    assert (row.offset_us, row.uncertainty_us) == (4_000.0, 3_000.0)


def test_a_meter_measures_at_once_and_then_when_it_is_time(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    empty_tables(warehouse)
    client, clock = warehouse.client, ManualClock(1)
    reports = ReportSettings(clock_every_s=60)
    settings = Settings(home=str(tmp_path), clickhouse=warehouse.settings, reports=reports)
    meter = clocks.Meter(settings, clock)
    first = meter.measure_if_due(client)
    clock.advance(59_000_000)
    assert meter.measure_if_due(client) == 0
    clock.advance(60_000_002)
    assert meter.measure_if_due(client) == first
    assert client.command("SELECT count() FROM clock_sync") == 2 * first
    never = Settings(clickhouse=warehouse.settings, reports=ReportSettings(clock_every_s=0))
    assert clocks.Meter(never, clock).measure_if_due(client) == 0
