"""A stored tick changes once, on purpose, and everything before and after it can be told."""

import argparse
import json
from datetime import UTC, datetime

import msgspec
import pytest

from adapters.clickhouse import archive
from cli.commands import ticks
from core import audit_log
from core.errors import SettingsError
from core.settings import Settings
from tests.integration.test_import import rows, tickhouse_import
from tests.support.told_ticks import (
    NAME,
    bids,
    nothing_stored,
    rows_of,
    same_millisecond,
    stream,
    ticks_file,
)
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]


@pytest.fixture(autouse=True)
def _nothing_stored(warehouse):
    nothing_stored(warehouse)


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
