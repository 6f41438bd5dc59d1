"""What a stream may say of a tick that is stored, and who else stores ticks meanwhile."""

from threading import Event, Thread

import msgspec
import numpy as np
import pytest

from adapters.clickhouse.corrections import LEAVE_OUT, Corrections
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.tick_store import ClickhouseTickStore, FileOfTicks
from adapters.clickhouse.tick_turns import release
from adapters.clickhouse.writer import Writer
from core import audit_log
from core.clock import ManualClock, SystemClock
from core.contracts.tick import TICK
from core.errors import BusyError, UnavailableError, WarehouseError
from core.health import Health
from core.home_users import DAGSTER, SETUP
from core.settings import Settings
from orchestration.restatement import run
from orchestration.restatement.work import Desk
from streams.compose import say_why_it_waits
from tests.integration.test_import import rows
from tests.support.told_ticks import (
    bids,
    blocks,
    finish_as_up_does,
    nothing_stored,
    rows_of,
    stream,
)
from tests.support.waiting import until
from tests.support.warehouse_server import warehouse

__all__ = ["warehouse"]


@pytest.fixture(autouse=True)
def _nothing_stored(warehouse):
    nothing_stored(warehouse)


def test_what_another_process_stored_ahead_of_a_stream_is_not_replaced(warehouse):
    with Writer(warehouse.settings_of("streams.ticks")) as writer:
        live = blocks(warehouse, writer, may_correct=False)
        live.insert(rows_of([1.1, 1.2]).columns, None)
        stream(warehouse, rows_of([1.3], first=2))
        live.insert(rows_of([1.9, 1.4], first=2).columns, None)
    assert bids(warehouse) == [1.1, 1.2, 1.3, 1.4]
    assert rows(warehouse, "SELECT reason FROM tick_quarantine FINAL") == [("correction",)]


def test_processes_that_store_the_same_ticks_at_once_replace_none(warehouse):
    def store(price: float) -> None:
        with Writer(warehouse.settings_of("streams.ticks")) as writer:
            live = blocks(warehouse, writer, may_correct=False)
            for number in range(20):
                live.insert(rows_of([price] * 3, first=number * 3).columns, None)

    threads = [Thread(target=store, args=(1.1 + n / 100,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    twice = "SELECT count() FROM (SELECT seq FROM tick GROUP BY ts_event, seq HAVING count() > 1)"
    assert rows(warehouse, twice) == [(0,)]
    assert rows(warehouse, "SELECT count() FROM tick") == [(60,)]
    assert rows(warehouse, "SELECT count() FROM tick_quarantine FINAL") == [(120,)]


def test_a_file_compares_what_a_stream_stores_meanwhile(warehouse):
    """Nothing was there when it began, so its blocks went in as they were."""
    with Writer(warehouse.settings_of(SETUP)) as writer:
        corrections = Corrections(writer, warehouse.home, SystemClock(), "import", restates=True)
        store = ClickhouseTickStore(writer, corrections, "ann")
        ticks = np.zeros(4, TICK)
        ticks["time_msc"] = 1_700_000_000_000 + np.arange(4)
        ticks["bid"], ticks["ask"] = [1.1, 1.2, 1.3, 1.4], 1.5
        span = Span("sim", "EURUSD", int(ticks["time_msc"][0]), int(ticks["time_msc"][-1]))
        with corrections.alone():
            store.begin(FileOfTicks(span, "a.csv", "0" * 32))
            store.ticks(ticks[:2])
            stream(warehouse, rows_of([1.9, 1.4], first=2))
            store.ticks(ticks[2:])
            assert store.end().corrected == 1
    assert bids(warehouse) == [1.1, 1.2, 1.3, 1.4]
    assert rows(warehouse, "SELECT max(version) FROM tick_version") == [(1,)]


def test_a_live_feed_that_says_another_thing_is_refused(warehouse):
    stream(warehouse, rows_of([1.1, 1.2]), rows_of([1.3], "oanda"))
    for _ in range(2):  # the block comes again after a crash
        stream(warehouse, rows_of([1.1, 1.25, 1.4]), rows_of([1.3], "oanda"))
    assert sorted(bids(warehouse)) == [1.1, 1.2, 1.3, 1.4]
    refused = rows(warehouse, "SELECT source, time_msc, reason FROM tick_quarantine FINAL")
    assert refused == [("sim", 1_700_000_000_001, "correction")]
    assert rows(warehouse, "SELECT count() FROM correction") == [(0,)]
    assert rows(warehouse, "SELECT count() FROM tick") == [(4,)], "nothing is written twice"


def test_of_a_block_of_many_feeds_those_that_are_stored_are_compared(warehouse):
    """Their spans are their own: a feed whose neighbours were stored up to here is a new one."""
    many = [f"it's {n}" for n in range(70)]
    stream(warehouse, rows_of([1.1, 1.2]), *(rows_of([1.3, 1.4], name) for name in many))
    again = [rows_of([1.3, 1.4, 1.5], many[69]), rows_of([1.25], first=1)]
    stream(warehouse, *(rows_of([1.6], name, first=2) for name in many[:69]), *again)
    assert rows(warehouse, "SELECT count() FROM tick") == [(2 + 70 * 3,)], "each once"
    refused = rows(warehouse, "SELECT source, time_msc FROM tick_quarantine FINAL")
    assert refused == [("sim", 1_700_000_000_001)]
    bid = "SELECT toFloat64(bid) FROM tick WHERE source = 'it''s 69' ORDER BY ts_event"
    assert rows(warehouse, bid) == [(1.3,), (1.4,), (1.5,)]


def test_a_source_that_is_trusted_corrects_and_bars_follow_without_its_right_to_delete(warehouse):
    stream(warehouse, rows_of([1.1, 1.9]))
    stream(warehouse, rows_of([1.1, 1.2]), may_correct=True)
    assert bids(warehouse) == [1.1, 1.2]
    plainly = "SELECT toFloat64(bid) FROM tick ORDER BY ts_event"
    assert rows(warehouse, plainly) == [(1.1,), (1.2,)], "at once, and without FINAL"
    pending = "SELECT status FROM restatement FINAL WHERE what = 'bar'"
    assert rows(warehouse, pending) == [("pending",)]
    high = "SELECT DISTINCT toFloat64(bid_high) FROM bar WHERE interval != '1s'"
    assert rows(warehouse, high) == [(1.9,)]
    assert finish_as_up_does(warehouse) == 1
    assert (rows(warehouse, pending), rows(warehouse, high)) == ([("done",)], [(1.2,)])
    assert finish_as_up_does(warehouse) == 0
    events = [event.action for event in audit_log.read(warehouse.home / "audit.log")]
    assert events == ["correct ticks"]


def test_restating_begins_with_the_bars_that_a_stream_left(warehouse):
    stream(warehouse, rows_of([1.1, 1.9]))
    stream(warehouse, rows_of([1.1, 1.2]), may_correct=True)
    where = warehouse.settings_of(DAGSTER)
    settings = msgspec.structs.replace(Settings(), clickhouse=where, home=str(warehouse.home))
    run.bars(Desk(settings, warehouse.client, SystemClock(), "somebody"))
    high = "SELECT DISTINCT toFloat64(bid_high) FROM bar WHERE interval != '1s'"
    assert rows(warehouse, high) == [(1.2,)]


def test_a_block_that_comes_again_after_its_tick_was_corrected_changes_nothing(warehouse):
    stream(warehouse, rows_of([1.1, 1.9]))
    stream(warehouse, rows_of([1.1, 1.2]), may_correct=True)
    stream(warehouse, rows_of([1.1, 1.9]), may_correct=True)
    assert bids(warehouse) == [1.1, 1.2]
    assert rows(warehouse, "SELECT count() FROM tick_quarantine") == [(0,)]


def test_a_clock_set_back_by_a_day_puts_no_correction_before_another(warehouse):
    writer = Writer(warehouse.settings_of(SETUP))
    now_us = SystemClock().now_us()
    stream(warehouse, rows_of([1.1]))
    for price, at_us in ((1.2, now_us), (1.3, now_us - 86_400_000_000)):
        clock = ManualClock(at_us)
        corrections = Corrections(writer, warehouse.home, clock, "test", restates=True)
        policy = FeedPolicy("run", "live", "somebody", lambda source: True)
        TickBlocks(writer, corrections, policy).insert(rows_of([price]).columns, None)
    writer.close()
    known = rows(
        warehouse, "SELECT version, toFloat64(bid) FROM tick_version FINAL ORDER BY ts_known"
    )
    assert known == [(0, 1.1), (1, 1.2), (2, 1.3)]
    as_of = "SELECT toFloat64(bid) FROM tick_as_of(moment = {})"
    (latest,) = rows(warehouse, "SELECT toString(max(ts_known)) FROM tick_version")[0]
    assert rows(warehouse, as_of.format(f"'{latest}'")) == [(1.3,)]
    assert rows(warehouse, as_of.format("'2023-12-01 00:00:00'")) == [(1.1,)]


def test_a_server_that_does_not_grant_the_delete_is_named_and_the_newest_is_read(
    warehouse, monkeypatch, caplog
):
    """The same statement in other words is one that the embedded warehouse grants no recorder."""
    stream(warehouse, rows_of([1.1]))
    monkeypatch.setattr("adapters.clickhouse.corrections.LEAVE_OUT", LEAVE_OUT + " ")
    stream(warehouse, rows_of([1.2]), may_correct=True)
    assert "does not grant ALTER DELETE ON tick: of sim EURUSD" in caplog.text
    assert "clickhouse-roles.sql" in caplog.text
    assert bids(warehouse) == [1.2]
    plain = "SELECT toFloat64(bid) FROM tick ORDER BY ts_known"
    assert rows(warehouse, plain) == [(1.1,), (1.2,)]
    monkeypatch.undo()
    finish_as_up_does(warehouse)
    assert rows(warehouse, plain) == [(1.2,)]


def test_another_home_on_the_same_warehouse_is_refused_while_this_one_stores(warehouse, tmp_path):
    stream(warehouse, rows_of([1.1]))
    with Writer(warehouse.settings_of("streams.ticks")) as writer:
        corrections = Corrections(writer, tmp_path, SystemClock(), "streams.ticks", restates=False)
        other = TickBlocks(writer, corrections, FeedPolicy("run", "live", "eve", lambda _: True))
        with pytest.raises(
            BusyError, match=r"ticks of sim are stored .* by another home, .* take no"
        ):
            other.insert(rows_of([1.2], first=1).columns, None)
        other.insert(rows_of([1.3], source="oanda").columns, None)  # of a source of its own
        assert sorted(bids(warehouse)) == [1.1, 1.3]
        warehouse.client.command("TRUNCATE TABLE tick_claim")  # as if it had been silent
        other.insert(rows_of([1.2], first=1).columns, None)
    assert sorted(bids(warehouse)) == [1.1, 1.2, 1.3]
    with pytest.raises(BusyError, match=r"ticks of sim .* by another home"):
        stream(warehouse, rows_of([1.4], first=2))  # now it is this one's turn to wait


def test_a_stream_waits_for_another_home_and_says_why_until_that_gives_its_sources_back(
    warehouse, tmp_path
):
    stream(warehouse, rows_of([1.1]))
    said, where = [], warehouse.settings_of("streams.ticks")
    with Writer(where) as writer:
        corrections = Corrections(
            writer, tmp_path, SystemClock(), "streams.ticks", restates=False, waits=said.append
        )
        other = TickBlocks(writer, corrections, FeedPolicy("run", "live", "eve", lambda _: True))
        storing = Thread(target=other.insert, args=(rows_of([1.2], first=1).columns, None))
        storing.start()
        until(lambda: said)
        assert "waiting: ticks of sim are stored in this warehouse by another home" in said[0]
        assert bids(warehouse) == [1.1]
        release(warehouse.settings_of(SETUP), warehouse.home)
        storing.join()
    assert said[-1] == ""
    assert bids(warehouse) == [1.1, 1.2]
    release(warehouse.settings_of(SETUP), tmp_path)
    stream(warehouse, rows_of([1.3], first=2))  # and back, at once


def test_a_stream_that_is_told_to_stop_while_it_waits_does_so(tmp_path):
    stopping, health = Event(), Health("streams.ticks", tmp_path / "run")
    health.set("ready", "ticks")
    say_why_it_waits(health, stopping, "waiting: ticks of sim")
    assert (health.status, health.detail) == ("degraded", "waiting: ticks of sim")
    say_why_it_waits(health, stopping, "")
    assert (health.status, health.detail) == ("ready", "ticks")
    stopping.set()
    with pytest.raises(UnavailableError, match="stopped while waiting"):
        say_why_it_waits(health, stopping, "waiting: ticks of sim")
    health.close()


def test_a_stream_may_add_versions_and_take_nothing_away(warehouse):
    """But for the row that a correction of its own replaced, by one statement word for word."""
    writer = Writer(warehouse.settings_of("streams.ticks"))
    for other in (LEAVE_OUT.replace("AND v.correction_id", "OR v.correction_id"), LEAVE_OUT + " "):
        with pytest.raises(WarehouseError, match="for admins"):
            writer.ask(other)
    for table in ("tick", "tick_version", "correction", "bar_1m"):
        with pytest.raises(WarehouseError, match="for admins"):
            writer.ask(f"DELETE FROM {table} WHERE symbol = 'X'")
    setup = Writer(warehouse.settings_of(SETUP))
    for table in ("tick_version", "correction"):
        with pytest.raises(WarehouseError, match="for admins"):
            setup.ask(f"DELETE FROM {table} WHERE symbol = 'X'")
    writer.close()
    setup.close()
