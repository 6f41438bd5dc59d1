"""The warehouse dies in the middle of inserts; nothing is lost, nothing is there twice."""

import json
import random
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.tick import TICK, TickArray
from core.errors import UnavailableError
from core.settings import environment_of
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]

BLOCK = 2000
START = 1_400_000_000_000 // 3_600_000 * 3_600_000


def ticks_of(number: int) -> TickArray:
    """Block `number` of an endless feed: 2,000 ticks, 20 ms apart."""
    rng = np.random.default_rng(number)
    ticks = np.zeros(BLOCK, TICK)
    ticks["time_msc"] = START + (number * BLOCK + np.arange(BLOCK)) * 20
    ticks["bid"] = np.round(1.3 + rng.normal(0, 0.001, BLOCK), 5)
    ticks["ask"] = ticks["bid"] + 0.0001
    return ticks


def expect_exactly(warehouse: Warehouse, blocks: int) -> None:
    """Every tick of the first `blocks` once, also in the bars."""
    connection = warehouse.client
    bid = sum(int(np.rint(ticks_of(n)["bid"] * 1e8).sum()) for n in range(blocks))
    rows = connection.query(
        "SELECT count(), sum(reinterpretAsInt64(bid)) FROM tick FINAL"
    ).result_rows
    assert rows[0] == (blocks * BLOCK, bid)
    for interval in ("1m", "5m", "1h"):
        rows = connection.query(
            "SELECT sum(tick_count) FROM bar WHERE interval = {i:String}",
            parameters={"i": interval},
        ).result_rows
        assert rows[0][0] == blocks * BLOCK


def test_kills_at_any_moment_lose_no_acknowledged_block_and_store_none_twice(
    tmp_path: Path,
) -> None:
    server = migrated(tmp_path)
    writer = BackgroundWriter(server.settings)
    blocks, rng = 120, random.Random(5)

    def produce() -> None:
        for number in range(blocks):
            writer.put("tick", tick_columns("sim", "EURUSD", ticks_of(number)))
        writer.flush()

    producer = threading.Thread(target=produce)
    producer.start()
    for _ in range(4):
        time.sleep(rng.uniform(0.05, 0.4))
        acknowledged = writer.stored[0]
        server.kill()
        server.start()
        stored = server.client.query("SELECT count() FROM tick FINAL").result_rows[0][0]
        assert stored >= acknowledged * BLOCK
    producer.join()
    writer.close()
    assert writer.stored[0] == blocks
    assert writer.stored[2] > 0, "no insert met a dead server: the test tested nothing"
    expect_exactly(server, blocks)
    assert server.stop() == 0


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_crash_beside_the_commit_is_repaired_by_the_retry(tmp_path: Path, place: str) -> None:
    server = migrated(tmp_path)
    server.stop()
    server.environ = environment_of("chaos", crash_at=f"warehouse.insert.{place}:3")
    server.start()
    writer = BackgroundWriter(server.settings)
    for number in range(5):
        writer.put("tick", tick_columns("sim", "EURUSD", ticks_of(number)))
    assert server.process is not None
    server.process.wait(timeout=60)
    assert list((tmp_path / "run").glob("crashed.*"))
    server.start()
    writer.flush()
    writer.close()
    expect_exactly(server, 5)
    assert server.stop() == 0


@pytest.mark.parametrize("table", ["tick", "bar_1m"])
def test_a_crash_between_the_note_of_a_block_and_its_part_is_repaired_by_the_retry(
    tmp_path: Path, table: str
) -> None:
    """The engine's log of blocks names one whose part was not renamed into place yet."""
    server = migrated(tmp_path)
    writer = BackgroundWriter(server.settings)
    for number in range(2):
        writer.put("tick", tick_columns("sim", "EURUSD", ticks_of(number)))
        writer.flush()
    server.client.command(f"SYSTEM STOP MERGES {table}")
    place = server.client.query(
        "SELECT path FROM system.parts WHERE table = {table:String} AND active "
        "ORDER BY max_block_number DESC LIMIT 1",
        parameters={"table": table},
    ).first_row[0]
    server.kill()
    part = Path(place)
    part.rename(part.with_name("tmp_insert_" + part.name))
    server.start()
    with Writer(server.settings) as again:
        again.insert("tick", tick_columns("sim", "EURUSD", ticks_of(1)))
    writer.close()
    expect_exactly(server, 2)
    assert server.stop() == 0


def test_a_writer_told_to_stop_gives_up_on_a_dead_warehouse(tmp_path: Path) -> None:
    server = Warehouse(tmp_path)
    server.start()
    settings = server.settings
    server.kill()
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with Writer(settings, stop) as writer, pytest.raises(UnavailableError, match="stopped"):
        writer.insert("tick", tick_columns("sim", "EURUSD", ticks_of(0)))
    assert writer.retries > 0


def test_the_process_says_that_it_is_ready(tmp_path: Path) -> None:
    server = Warehouse(tmp_path)
    server.start()
    state = json.loads((tmp_path / "run" / "warehouse.json").read_text())
    assert server.process is not None
    assert state["pid"] == server.process.pid
    assert server.stop() == 0


def test_a_statement_without_an_end_does_not_hold_up_the_end(tmp_path: Path) -> None:
    server = migrated(tmp_path)
    asks, looks = server.client, server.client
    refused: list[str] = []

    def ask() -> None:
        with pytest.raises(DatabaseError) as caught:
            asks.query("SELECT count() FROM numbers(1000000000000000) WHERE cityHash64(number) = 1")
        refused.append(str(caught.value))

    asking = threading.Thread(target=ask)
    asking.start()
    while not looks.query(
        "SELECT count() FROM system.processes WHERE position(query, 'cityHash' || '64') > 0"
    ).first_row[0]:
        assert asking.is_alive(), refused
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(120) == 0
    asking.join()
    assert "QUERY_WAS_CANCELLED" in refused[0]
