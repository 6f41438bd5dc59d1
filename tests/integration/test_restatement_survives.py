"""`tickhouse restate`, killed at every commit: the next one ends where an undisturbed one would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from core import audit_log
from features.catalog import NAMES
from tests.support.corrections import correct, steady_ticks, store_ticks
from tests.support.orders import at
from tests.support.warehouse_server import Warehouse, empty_tables, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

DAY = "2026-03-03"
#: Kinds of work, and where each is killed, one place after the other.
PLACES = {
    ("feature", "label"): ("noted:1", "audited:1", "closed:1"),
    ("check",): ("kept:1", "checked:1"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    running = migrated(tmp_path_factory.mktemp("home"), NAMES)
    try:
        yield running
    finally:
        running.stop()


def corrected_day(server: Warehouse, what: Sequence[str]) -> None:
    empty_tables(server)
    (server.home / "audit.log").unlink(missing_ok=True)
    audit_log.accept(server.home)
    store_ticks(server.settings, steady_ticks(f"{DAY} 11:00", 600))
    noon = at(f"{DAY} 11:05") // 1000
    # Crossed: the check of the day finds one more than it would have.
    correct(server.client, noon, 1.18, 1.17, "2026-03-09 09:00", what=what)
    # Its bars are made: what a correction that is not finished lacks, the next command adds.
    server.client.command(
        "INSERT INTO restatement SELECT correction_id, 'bar', 'bar', trading_day, source, symbol,"
        " 'done', ts_changed, 0, '', '' FROM restatement FINAL LIMIT 1"
    )
    server.client.command(
        "INSERT INTO feature (run_id, source, symbol, ts_event, seq)"
        " SELECT 'run-1', source, symbol, ts_event, seq FROM tick FINAL"
    )


def restate(server: Warehouse, crash_at: str = "") -> int:
    environ = {**os.environ, **server.environment, "TICKHOUSE_HOME": str(server.home),
               "TICKHOUSE_CHAOS__CRASH_AT": crash_at}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cli.main", "restate", "--json"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.returncode


def state(server: Warehouse) -> tuple[Any, ...]:
    """All that a restatement leaves, without the time at which it did."""
    rows = server.client.query(
        "SELECT correction_id, what, subject, status, rows, before, after FROM restatement FINAL"
        " ORDER BY what, subject"
    ).result_rows
    events = [
        msgspec.json.decode(event.detail)["restatement"]
        for event in audit_log.read(audit_log.path_in(server.home))
        if event.action == "restate"
    ]
    return rows, sorted(events)


@pytest.mark.parametrize("what", PLACES)
def test_a_restatement_that_is_killed_anywhere_ends_the_same(
    server: Warehouse, what: tuple[str, ...]
) -> None:
    corrected_day(server, what)
    assert restate(server) == 0
    undisturbed = state(server)
    assert {row[3] for row in undisturbed[0]} <= {"done", "marked"}
    assert len(undisturbed[1]) == len(what)
    assert sum(row[4] for row in undisturbed[0])
    corrected_day(server, what)
    crash_at = ",".join(f"restate.{place}" for place in PLACES[what])
    kills = 0
    while restate(server, crash_at):
        kills += 1
    assert kills == len(PLACES[what])
    assert state(server) == undisturbed
