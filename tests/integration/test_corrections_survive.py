"""A correction that is killed at any of its commit points is mended, and told once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.clickhouse.writer import Writer
from core import audit_log
from tests.integration.test_import import rows, tickhouse_import
from tests.support.told_ticks import (
    Killed,
    bids,
    blocks,
    finish_as_up_does,
    nothing_stored,
    rows_of,
    stream,
    ticks_file,
)
from tests.support.warehouse_server import empty_tables, warehouse

__all__ = ["warehouse"]


@pytest.fixture(autouse=True)
def _nothing_stored(warehouse):
    nothing_stored(warehouse)


@pytest.mark.parametrize("place", ["correction", "versions", "begun", "ticks", "following"])
@pytest.mark.heavy(suite="survival")
def test_a_stream_that_is_killed_while_it_corrects_sends_its_block_again(
    warehouse, monkeypatch, place
):
    stream(warehouse, rows_of([1.1, 1.9]))

    def die(name: str) -> None:
        if name == f"streams.ticks.{place}.after":
            raise Killed

    block = rows_of([1.1, 1.2, 1.3]).columns
    with monkeypatch.context() as patched, Writer(warehouse.settings_of("streams.ticks")) as writer:
        patched.setattr("adapters.clickhouse.corrections.reach", die)
        with pytest.raises(Killed):
            blocks(warehouse, writer).insert(block, None)
    finish_as_up_does(warehouse)
    stream(warehouse, rows_of([1.1, 1.2, 1.3]), may_correct=True)
    finish_as_up_does(warehouse)
    assert bids(warehouse) == [1.1, 1.2, 1.3]
    bar = "SELECT toFloat64(bid_high), toUInt32(tick_count) FROM bar WHERE interval = '1m'"
    assert rows(warehouse, bar) == [(1.3, 3)]
    versions = "SELECT version, toFloat64(bid) FROM tick_version FINAL ORDER BY version"
    assert rows(warehouse, versions) == [(0, 1.9), (1, 1.2)]
    assert rows(warehouse, "SELECT corrected FROM correction FINAL") == [(1,)]
    events = [event.action for event in audit_log.read(warehouse.home / "audit.log")]
    assert events == ["correct ticks"]


PLACES = ("correction", "versions", "begun", "ticks", "following", "restated", "bars")
STATE = (
    "SELECT ts_event, seq, bid FROM tick FINAL ORDER BY ts_event, seq",
    "SELECT ts_event, seq, version, kind, bid, correction_id FROM tick_version FINAL "
    "ORDER BY ts_event, seq, version",
    "SELECT correction_id, corrected, withdrawn, origin FROM correction FINAL",
    "SELECT * EXCEPT (ts_changed) FROM restatement FINAL ORDER BY what",
    "SELECT interval, ts_open, bid_high, bid_low, toUInt32(tick_count) FROM bar "
    "ORDER BY interval, ts_open",
)


def two_files(folder: Path) -> tuple[Path, Path]:
    """A file, and one that corrects its second tick and lacks its third."""
    first = ticks_file(folder / "a", ["1.10", "1.39", "1.45", "1.12"])
    return first, ticks_file(folder / "b", ["1.10", "1.19", "", "1.12"])


@pytest.fixture(scope="module")
def undisturbed(warehouse, tmp_path_factory):
    """What is stored when nothing is killed."""
    empty_tables(warehouse)
    first, second = two_files(tmp_path_factory.mktemp("undisturbed"))
    tickhouse_import(warehouse, first)
    tickhouse_import(warehouse, second, "--complete")
    state = [rows(warehouse, query) for query in STATE]
    assert state[2][0][1:3] == (1, 1)
    return state


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.heavy(suite="survival")
def test_a_kill_at_every_commit_point_is_mended(
    undisturbed, warehouse, tmp_path, monkeypatch, place
):
    first, second = two_files(tmp_path)
    tickhouse_import(warehouse, first)

    def die(name: str) -> None:
        if name == f"import.{place}.after":
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("adapters.clickhouse.corrections.reach", die)
        with pytest.raises(Killed):
            tickhouse_import(warehouse, second, "--complete")
    assert finish_as_up_does(warehouse) == (place != "bars")
    tickhouse_import(warehouse, second, "--complete")
    assert [rows(warehouse, query) for query in STATE] == undisturbed
    events = [event.action for event in audit_log.read(warehouse.home / "audit.log")]
    assert events == ["correct ticks"]


@pytest.mark.process
def test_a_process_that_is_killed_between_versions_and_tick_loses_nothing(
    undisturbed, warehouse, tmp_path
):
    first, second = two_files(tmp_path)
    tickhouse_import(warehouse, first)
    own = {"TICKHOUSE_HOME": str(warehouse.home),
           "TICKHOUSE_CHAOS__CRASH_AT": "import.versions.after:1"}  # fmt: skip
    command = [sys.executable, "-m", "cli.main", "import", str(second), "--complete"]
    environment = os.environ | warehouse.environment | own
    child = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    tickhouse_import(warehouse, second, "--complete")
    assert [rows(warehouse, query) for query in STATE] == undisturbed
