"""`running_mode`: one row that says which mode boards and pages open in, by the real engine."""

import pytest
from msgspec.structs import replace

from adapters.clickhouse import migrate
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core.contracts.session import Session
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

HOUR_US = 3_600_000_000
STARTED = Session(
    session_id="demo-1", run_id="live", mode="demo", account="simulated", strategy="model",
    number=1, ts_start_us=HOUR_US, ts_end_us=0, who="ann", host="desk", home="/home", versions="{}",
    fingerprint="{}", settings_hash="", strategy_hash="", limits_hash="", limits_version="",
    model="", feature_set_hash="", status="running",
)  # fmt: skip


def test_boards_open_in_the_mode_of_the_newest_start(warehouse: Warehouse) -> None:
    migrate.apply(warehouse.client, [])

    def after(*sessions: Session) -> tuple[str, ...]:
        with Writer(warehouse.settings) as writer:
            writer.insert("session", message_columns(list(sessions)))
        rows = warehouse.client.query("SELECT mode, session_id, status FROM running_mode")
        (row,) = rows.result_rows
        return tuple(row)

    rows = warehouse.client.query("SELECT mode FROM running_mode").result_rows
    assert rows == [("live",)]  # nothing ever ran
    replayed = replace(STARTED, session_id="r", run_id="r", mode="replay", number=0)
    assert after(replayed) == ("replay", "r", "running")
    assert after(STARTED) == ("demo", "demo-1", "running")
    assert after(replace(STARTED, ts_end_us=2 * HOUR_US, status="ended"))[2] == "ended"
    shadow = replace(STARTED, session_id="shadow-2", mode="shadow", number=2, ts_start_us=HOUR_US)
    assert after(shadow) == ("shadow", "shadow-2", "running")  # by number: no clock moved
    later = replace(replayed, session_id="r2", run_id="r2", ts_start_us=9 * HOUR_US)
    assert after(later) == ("shadow", "shadow-2", "running")  # a replay beside it changes nothing
