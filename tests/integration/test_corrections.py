"""A stored tick changes once, on purpose, and everything before and after it can be told."""

import argparse
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.clickhouse import archive
from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.finish import finish
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.tick_store import ClickhouseTickStore, FileOfTicks
from adapters.clickhouse.writer import Writer
from adapters.mt5.protocol.terminal import MT5_TICK
from cli.commands import ticks
from core import audit_log
from core.clock import ManualClock, SystemClock
from core.contracts.tick import TICK
from core.errors import SettingsError, WarehouseError
from core.home_users import DAGSTER, SETUP
from core.quality import FeedState
from core.settings import Settings
from orchestration.restatement import run
from orchestration.restatement.work import Desk
from streams.rows import Rows, merge
from tests.integration.test_import import rows, tickhouse_import
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]

NAME = "DAT_ASCII_EURUSD_T_202001.csv"
START = "20200101 170000"


@pytest.fixture(autouse=True)
def _nothing_stored(warehouse):
    empty_tables(warehouse)
    (warehouse.home / "audit.log").unlink(missing_ok=True)
    audit_log.accept(warehouse.home)


def ticks_file(folder: Path, prices: list[str], name: str = NAME) -> Path:
    """A file of ticks, one in each 7 ms; a price is `bid` or `bid,ask`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    lines = [
        f"{START}{n * 7:03d},{price if ',' in price else price + ',1.5'},0"
        for n, price in enumerate(prices)
        if price
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def bids(server: Warehouse) -> list[float]:
    stored = rows(server, "SELECT bid FROM tick FINAL ORDER BY ts_event, seq")
    return [float(row[0]) for row in stored]


def test_a_file_with_one_price_corrected(warehouse, tmp_path, capsys):
    first = ticks_file(tmp_path / "a", ["1.10", "1.39", "1.12"])
    tickhouse_import(warehouse, first)
    known = datetime.now(UTC)
    assert rows(warehouse, "SELECT toFloat64(max(bid_high)) FROM bar") == [(1.39,)]
    second = ticks_file(tmp_path / "b", ["1.10", "1.19", "1.12"])
    tickhouse_import(warehouse, second, "--reason", "vendor's word")
    assert "1 corrected, 0 withdrawn" in capsys.readouterr().out
    assert bids(warehouse) == [1.10, 1.19, 1.12]
    for interval in ("1s", "1m", "5m", "1h"):
        query = f"SELECT bid_high, toUInt32(tick_count) FROM bar WHERE interval = '{interval}'"
        assert [(float(high), count) for high, count in rows(warehouse, query)] == [(1.19, 3)]
    versions = rows(
        warehouse, "SELECT version, kind, toFloat64(bid) FROM tick_version FINAL ORDER BY version"
    )
    assert versions == [(0, "first", 1.39), (1, "correction", 1.19)]
    as_of = f"SELECT toFloat64(bid) FROM tick_as_of(moment = '{known:%F %T.%f}') ORDER BY ts_event"
    assert rows(warehouse, as_of) == [(1.10,), (1.39,), (1.12,)]
    (change,) = rows(
        warehouse,
        "SELECT toFloat64(old_bid), toFloat64(new_bid), reason, correction_id FROM tick_correction",
    )
    assert change[:3] == (1.39, 1.19, "vendor's word")
    (event,) = audit_log.read(warehouse.home / "audit.log")
    assert (event.action, event.subject, event.reason) == (
        "correct ticks",
        change[3],
        "vendor's word",
    )
    restated = rows(
        warehouse, "SELECT what, status, before, after FROM restatement FINAL ORDER BY what"
    )
    assert [row[:2] for row in restated] == [
        ("bar", "done"), ("check", "pending"), ("feature", "pending"), ("label", "pending"),
        ("mart", "pending"), ("report", "pending"),
    ]  # fmt: skip
    before, after = map(json.loads, restated[0][2:])
    bar = "1m 2020-01-01 22:00:00"
    assert (before[bar]["bid_high"], after[bar]["bid_high"]) == ("1.39", "1.19")
    tickhouse_import(warehouse, first)
    assert bids(warehouse) == [1.10, 1.19, 1.12], "a file that was corrected does not come back"
    tickhouse_import(warehouse, ticks_file(tmp_path / "c", ["1.10", "1.39"]))
    assert bids(warehouse) == [1.10, 1.39, 1.12]


def test_as_of_says_where_nobody_noted_when_a_tick_came(warehouse, tmp_path):
    """As it is of those imported before there were versions: their column is filled by default."""
    stream(warehouse, rows_of([1.1]), mode="replay")
    tickhouse_import(warehouse, ticks_file(tmp_path, ["1.2"]))
    as_of = "SELECT toFloat64(bid), known_by FROM tick_as_of(moment = '{}') ORDER BY bid"
    soon = f"{datetime.now(UTC):%F %T.%f}"
    assert rows(warehouse, as_of.format(soon)) == [(1.1, "market"), (1.2, "clock")]
    assert rows(warehouse, as_of.format("2023-12-01 00:00:00")) == [(1.1, "market")]


def test_a_backup_that_is_taken_right_after_a_correction_has_the_newest(warehouse, tmp_path):
    tickhouse_import(warehouse, ticks_file(tmp_path / "a", ["1.10", "1.39", "1.12"]))
    tickhouse_import(warehouse, ticks_file(tmp_path / "b", ["1.10", "1.19"]), "--complete")
    tickhouse_import(warehouse, ticks_file(tmp_path / "c", ["1.11"]))
    folder = warehouse.home / "backups" / "one"
    archive.backup(warehouse.client, folder, "now")
    tickhouse_import(warehouse, ticks_file(tmp_path / "d", ["1.15"]))
    archive.restore(warehouse.client, folder, replace=True)
    plainly = "SELECT toFloat64(bid) FROM tick ORDER BY ts_event"
    assert rows(warehouse, plainly) == [(1.11,), (1.19,), (1.12,)]


def test_who_reads_without_final_takes_no_corrected_or_withdrawn_price_for_true(
    warehouse, tmp_path
):
    tickhouse_import(warehouse, ticks_file(tmp_path / "a", ["1.10", "1.39", "1.12", "1.13"]))
    second = ticks_file(tmp_path / "b", ["1.10", "1.19", "", "1.13"])
    tickhouse_import(warehouse, second, "--complete")
    plainly = "SELECT toFloat64(bid) FROM tick ORDER BY ts_event"
    assert rows(warehouse, plainly) == [(1.10,), (1.19,), (1.13,)]
    tickhouse_import(warehouse, ticks_file(tmp_path / "c", ["1.10", "1.29", "1.12"]))
    assert rows(warehouse, plainly) == [(1.10,), (1.29,), (1.12,), (1.13,)]


def test_files_that_begin_elsewhere_store_a_late_tick_once(warehouse, tmp_path):
    """Late: more than a second behind the feed, so its count says where its file begins."""
    quotes = [(0, 1.1), (5, 1.2), (9000, 1.3), (9001, 1.4), (5, 1.25), (9002, 1.5)]
    orders = ([0, 1, 2, 3, 4, 5], [2, 3, 4, 5], [0, 1, 4, 2, 3, 5], [4, 5])
    for number, order in enumerate(orders):
        path = tmp_path / str(number) / NAME
        path.parent.mkdir()
        lines = [(msc // 1000, msc % 1000, bid) for msc, bid in (quotes[n] for n in order)]
        path.write_text(
            "".join(f"20200101 1700{s:02d}{ms:03d},{bid},1.5,0\n" for s, ms, bid in lines)
        )
        tickhouse_import(warehouse, path)
        assert bids(warehouse) == ([1.1, 1.2, 1.25, 1.3, 1.4, 1.5])
    assert rows(warehouse, "SELECT count() FROM correction") == [(0,)]


# --- the streams


def rows_of(prices: list[float], source: str = "sim", first: int = 0) -> Rows:
    ticks = np.zeros(len(prices), TICK)
    ticks["time_msc"] = 1_700_000_000_000 + first + np.arange(len(prices))
    ticks["bid"], ticks["ask"] = prices, 1.5
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return Rows("tick", tick_columns(source, "EURUSD", ticks), len(prices))


def blocks(
    server: Warehouse, writer: Writer, *, may_correct: bool = True, mode: str = "live"
) -> TickBlocks:
    """What the ticks flow writes its blocks through."""
    corrections = Corrections(writer, server.home, SystemClock(), "streams.ticks", restates=False)
    policy = FeedPolicy("run", mode, "somebody", lambda source: may_correct)
    return TickBlocks(writer, corrections, policy)


def stream(server: Warehouse, *parts: Rows, may_correct: bool = False, mode: str = "live") -> None:
    """One block of the ticks flow, as its process writes it."""
    make = partial(blocks, server, may_correct=may_correct, mode=mode)
    writer = BackgroundWriter(server.settings_of("streams.ticks"), make_ticks=make)
    writer.put("tick", merge(list(parts)).columns)
    writer.close()
    assert writer.stored[0] == 1


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


def finish_as_up_does(server: Warehouse) -> int:
    return finish(server.settings_of(SETUP), server.home, "up")


def test_a_live_feed_that_says_another_thing_is_refused(warehouse):
    stream(warehouse, rows_of([1.1, 1.2]), rows_of([1.3], "oanda"))
    for _ in range(2):  # the block comes again after a crash
        stream(warehouse, rows_of([1.1, 1.25, 1.4]), rows_of([1.3], "oanda"))
    assert sorted(bids(warehouse)) == [1.1, 1.2, 1.3, 1.4]
    refused = rows(warehouse, "SELECT source, time_msc, reason FROM tick_quarantine FINAL")
    assert refused == [("sim", 1_700_000_000_001, "correction")]
    assert rows(warehouse, "SELECT count() FROM correction") == [(0,)]
    assert rows(warehouse, "SELECT count() FROM tick") == [(4,)], "nothing is written twice"


def test_a_source_that_is_trusted_corrects_and_bars_follow_without_its_right_to_delete(warehouse):
    stream(warehouse, rows_of([1.1, 1.9]))
    stream(warehouse, rows_of([1.1, 1.2]), may_correct=True)
    assert bids(warehouse) == [1.1, 1.2]
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


def test_a_stream_may_add_versions_and_take_nothing_away(warehouse):
    writer = Writer(warehouse.settings_of("streams.ticks"))
    for table in ("tick", "tick_version", "correction", "bar_1m"):
        with pytest.raises(WarehouseError, match="for admins"):
            writer.ask(f"DELETE FROM {table} WHERE symbol = 'X'")
    setup = Writer(warehouse.settings_of(SETUP))
    for table in ("tick_version", "correction"):
        with pytest.raises(WarehouseError, match="for admins"):
            setup.ask(f"DELETE FROM {table} WHERE symbol = 'X'")
    writer.close()
    setup.close()


# --- complete files, kills


def test_only_a_complete_file_withdraws_and_the_others_keep_their_identity(
    warehouse, tmp_path, capsys
):
    whole = same_millisecond(tmp_path / "a", ["1.1", "1.2", "1.3"])
    tickhouse_import(warehouse, whole)
    fewer = same_millisecond(tmp_path / "b", ["1.1", "1.3"])
    tickhouse_import(warehouse, fewer)
    assert bids(warehouse) == [1.1, 1.2, 1.3]
    tickhouse_import(warehouse, fewer, "--complete")
    assert "0 corrected, 1 withdrawn" in capsys.readouterr().out
    identities = "SELECT seq, toFloat64(bid) FROM tick FINAL ORDER BY seq"
    assert rows(warehouse, identities) == [(0, 1.1), (2, 1.3)]
    bar = "SELECT toFloat64(bid_high), toUInt32(tick_count) FROM bar WHERE interval = '1h'"
    assert rows(warehouse, bar) == [(1.3, 2)]
    tickhouse_import(warehouse, whole)
    assert rows(warehouse, identities) == [(0, 1.1), (2, 1.3)], "what was withdrawn stays so"
    tickhouse_import(warehouse, same_millisecond(tmp_path / "c", ["1.1", "1.2", "1.3", "1.4"]))
    assert rows(warehouse, identities) == [(0, 1.1), (1, 1.2), (2, 1.3), (3, 1.4)]
    tickhouse_import(warehouse, fewer, "--complete")
    assert rows(warehouse, identities) == [(0, 1.1), (2, 1.3)]
    versions = "SELECT version, kind FROM tick_version FINAL WHERE seq = 1 ORDER BY version"
    assert [kind for _, kind in rows(warehouse, versions)] == [
        "first", "withdrawal", "correction", "withdrawal",
    ]  # fmt: skip


def same_millisecond(folder: Path, prices: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text("".join(f"{START}000,{price},1.5,0\n" for price in prices))
    return path


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


class Killed(BaseException):
    """What a kill looks like from inside, where a real one would take the tests with it."""


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


# --- by hand


def tickhouse_ticks(server: Warehouse, *arguments: object) -> int:
    parser = argparse.ArgumentParser()
    ticks.add_arguments(parser)
    settings = msgspec.structs.replace(
        Settings(), clickhouse=server.settings, home=str(server.home)
    )
    return ticks.run(parser.parse_args([str(a) for a in arguments]), settings)


def test_a_tick_is_withdrawn_by_hand_and_its_history_is_told(
    warehouse, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "160")
    tickhouse_import(warehouse, same_millisecond(tmp_path, ["1.1", "1.2"]))
    ((msc,),) = rows(warehouse, "SELECT DISTINCT time_msc FROM tick")
    feed = ("histdata", "EURUSD")
    with pytest.raises(SettingsError, match=r"has 2 such ticks.*--seq 1 \(bid 1\.2\)"):
        tickhouse_ticks(warehouse, "withdraw", *feed, msc, "--reason", "typo")
    tickhouse_ticks(warehouse, "withdraw", *feed, msc, "--seq", 1, "--reason", "typo")
    assert bids(warehouse) == [1.1]
    with pytest.raises(SettingsError, match="has no such ticks"):
        tickhouse_ticks(warehouse, "withdraw", *feed, msc, "--seq", 1, "--reason", "again")
    capsys.readouterr()
    tickhouse_ticks(warehouse, "history", *feed, "--from", "2020-01-01", "--json")
    (version,) = json.loads(capsys.readouterr().out)["versions"]
    assert (version["kind"], version["seq"], version["reason"]) == ("withdrawal", 1, "typo")
    tickhouse_ticks(warehouse, "history", *feed)
    assert "withdrawn │ 1.2" in capsys.readouterr().out
    tickhouse_ticks(warehouse, "history", *feed, "--to", "2020-01-01T12:00")
    assert "None was ever" in capsys.readouterr().out


# --- one rule on every road


def feed_of(rng: np.random.Generator) -> np.ndarray:
    """MT5 ticks, several to a millisecond."""
    raw = np.zeros(400, MT5_TICK)
    raw["time_msc"] = 1_700_000_000_000 + np.sort(rng.integers(0, 150, len(raw)))
    raw["bid"] = 1.1 + rng.integers(0, 9, len(raw)) / 100
    raw["ask"] = raw["bid"] + 0.01
    return raw


def corrected(raw: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same ticks, some with other prices and some missing."""
    changed = raw.copy()
    some = rng.choice(len(raw), 30, replace=False)
    changed["bid"][some] += 0.005
    return np.delete(changed, rng.choice(len(raw), 20, replace=False))


def parquet(folder: Path, raw: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "EURUSD_sim.parquet"
    names = ("time_msc", "bid", "ask", "last", "flags")
    pq.write_table(pa.table({name: raw[name] for name in names}), path)
    return path


def collected(raw: np.ndarray, cuts: list[int]) -> list[Rows]:
    """What the collector makes of them, in messages that begin at these rows."""
    state = FeedState("sim", "EURUSD")
    return [_message(state, part) for part in np.split(raw, cuts)]


def _message(state: FeedState, raw: np.ndarray) -> Rows:
    names = ("time_msc", "bid", "ask", "last", "volume_real", "flags")
    part = state.normalise(
        *(raw[name] for name in names),
        now_us=1_800_000_000_000_000,
        recv_us=raw["time_msc"] * 1000,
        future_tolerance_us=0,
    ).ticks
    return Rows("tick", tick_columns("sim", "EURUSD", part), len(part))


SAME = (
    "SELECT ts_event, seq, bid, ask, last, volume, flags, quality, ts_recv FROM tick FINAL "
    "ORDER BY ts_event, seq",
    "SELECT ts_event, seq, version, kind, bid FROM tick_version FINAL "
    "ORDER BY ts_event, seq, version",
    "SELECT interval, ts_open, bid_open, bid_high, bid_low, bid_close, toUInt32(tick_count) "
    "FROM bar ORDER BY interval, ts_open",
    "SELECT what, trading_day, status, rows, before, after FROM restatement FINAL ORDER BY what",
)


@pytest.mark.parametrize("seed", range(1))
@pytest.mark.heavy(suite="survival")
def test_the_same_ticks_end_equal_by_import_collector_and_replay(warehouse, tmp_path, seed):
    rng = np.random.default_rng(seed)
    before = feed_of(rng)
    after = corrected(before, rng)
    for name, raw in (("a", before), ("b", after)):
        tickhouse_import(warehouse, parquet(tmp_path / name, raw))
    imported = [rows(warehouse, query) for query in SAME]
    assert len(imported[1]) > 40
    whole = [100, 200, 300]
    for mode in ("replay", "live"):
        empty_tables(warehouse)
        for raw in (before, after):
            cuts = np.searchsorted(raw["time_msc"], raw["time_msc"][whole]).tolist()
            parts = collected(raw, cuts)
            for part in parts if mode == "live" else [merge(parts)]:
                stream(warehouse, part, may_correct=True, mode=mode)
        finish_as_up_does(warehouse)
        streamed = [rows(warehouse, query) for query in SAME]
        assert streamed[:3] == imported[:3]
        if mode == "replay":
            assert streamed[3] == imported[3]
