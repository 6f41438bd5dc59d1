"""What the sink has not stored survives in its state, and blocks do not depend on epochs."""

import numpy as np

from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.rows import tick_columns
from core.contracts.tick import TICK
from streams.connectors.clickhouse import Barrier, Pending, WarehouseSink
from streams.rows import Rows
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]


def _rows(start: int, count: int) -> Rows:
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = 1_700_000_000_000 + np.arange(start, start + count)
    ticks["bid"], ticks["ask"] = 1.1, 1.2
    return Rows("tick", tick_columns("oanda", "EURUSD", ticks), count)


def _sink(server: Warehouse, merge_rows: int, *, every_epoch: bool) -> WarehouseSink:
    return WarehouseSink(
        lambda: BackgroundWriter(server.settings), merge_rows, every_epoch=every_epoch
    )


def _stored(server: Warehouse) -> int:
    return int(server.client.query("SELECT count() FROM tick").result_rows[0][0])


def test_a_replay_keeps_an_unfinished_block_in_its_state(warehouse: Warehouse) -> None:
    empty_tables(warehouse)
    sink = _sink(warehouse, 10, every_epoch=False)
    part = sink.build_part("warehouse", "warehouse", None)
    part.write_batch([_rows(0, 10), _rows(10, 4)])
    state = part.snapshot()
    assert _stored(warehouse) == 10
    assert {table: sum(rows.size for rows in parts) for table, parts in state.items()} == {
        "tick": 4
    }
    successor = sink.build_part("warehouse", "warehouse", state)  # `part` was killed
    successor.write_batch([_rows(14, 3)])
    successor.close()
    assert _stored(warehouse) == 17


def test_a_replay_done_again_with_other_epochs_stores_nothing_twice(warehouse: Warehouse) -> None:
    empty_tables(warehouse)
    sink = _sink(warehouse, 10, every_epoch=False)
    for epoch in (1, 3, 7):  # messages between two snapshots
        part = sink.build_part("warehouse", "warehouse", None)
        for number in range(9):
            part.write_batch([_rows(number * 4, 4)])
            if number % epoch == 0:
                part.snapshot()
        part.close()
    assert _stored(warehouse) == 36  # without FINAL: the warehouse dropped repeated blocks


def test_a_live_epoch_hands_its_rows_over_and_remembers_what_is_unsure(
    warehouse: Warehouse,
) -> None:
    empty_tables(warehouse)
    sink = _sink(warehouse, 1000, every_epoch=True)
    part = sink.build_part("warehouse", "warehouse", None)
    part.write_batch([_rows(0, 5)])
    unsure: Pending = part.snapshot()
    part.close()  # all is stored now, whatever the state says
    assert _stored(warehouse) == 5
    assert sum(rows.size for rows in unsure.get("tick", [])) in (0, 5)
    successor = sink.build_part("warehouse", "warehouse", unsure)
    successor.snapshot()
    successor.close()
    assert _stored(warehouse) == 5


def test_a_barrier_is_called_when_all_before_it_is_stored(warehouse: Warehouse) -> None:
    empty_tables(warehouse)
    seen: list[int] = []
    part = _sink(warehouse, 1000, every_epoch=False).build_part("w", "w", None)
    part.write_batch([_rows(0, 6), Barrier(lambda: seen.append(_stored(warehouse)))])
    assert seen == [6]
    part.close()


def test_live_rows_that_came_singly_are_stored_together(warehouse: Warehouse) -> None:
    empty_tables(warehouse)
    writer = BackgroundWriter(warehouse.settings)
    part = WarehouseSink(lambda: writer, 10_000, every_epoch=True).build_part("w", "w", None)
    for number in range(300):
        part.write_batch([_rows(number, 1)])
    part.close()
    blocks, *_ = writer.stored
    assert blocks < 10  # one, unless the machine stood still for seconds
    times = "arraySort(groupArray(toUnixTimestamp64Milli(ts_event) - 1700000000000))"
    [(stored,)] = warehouse.client.query(f"SELECT {times} FROM tick").result_rows
    assert stored == list(range(300))
