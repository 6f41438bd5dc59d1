"""`tickhouse import` into a real warehouse: what lies in the tables, once and twice."""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.commands import import_ticks
from core.errors import InputError
from core.settings import Settings, load
from quality import reconcile, recording, superseded
from tests.support import vendor_files
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]

DAY = date(2014, 5, 2)


def tickhouse_import(server: Warehouse, *arguments: str | Path, code: int = 0) -> None:
    parser = argparse.ArgumentParser()
    import_ticks.add_arguments(parser)
    namespace = parser.parse_args([str(a) for a in arguments])
    settings = msgspec.structs.replace(
        Settings(), clickhouse=server.settings, home=str(server.home)
    )
    assert import_ticks.run(namespace, settings) == code


def rows(server: Warehouse, query: str) -> list[tuple[object, ...]]:
    return list(server.client.query(query).result_rows)


FEEDS = (
    "SELECT source, symbol, count(), sum(cityHash64(ts_event, seq, bid, ask, flags, quality)) "
    "FROM tick GROUP BY source, symbol ORDER BY source, symbol"
)


def test_two_brokers_and_a_repeat(warehouse, recordings, capsys):
    empty_tables(warehouse)
    paths = [recordings / "ticks" / f"EURUSD_{source}.parquet" for source in ("oanda", "fxcm")]
    tickhouse_import(warehouse, *paths)
    first = rows(warehouse, FEEDS)
    oanda, fxcm = recorded_ticks("EURUSD_oanda"), recorded_ticks("EURUSD_fxcm")
    assert [row[:3] for row in first] == [
        ("fxcm", "EURUSD", len(fxcm)), ("oanda", "EURUSD", len(oanda)),
    ]  # fmt: skip
    known = "SELECT source, symbol FROM instrument FINAL ORDER BY source"
    assert rows(warehouse, known) == [("fxcm", "EURUSD"), ("oanda", "EURUSD")]
    flagged = rows(
        warehouse, "SELECT countIf(bitTest(quality, 0)), countIf(bitTest(quality, 1)) FROM tick"
    )
    assert flagged == [
        (np.sum(fxcm["ask"] < fxcm["bid"]), np.sum(fxcm["ask"] == fxcm["bid"])),
    ]
    tickhouse_import(warehouse, *reversed(paths))
    assert rows(warehouse, FEEDS) == first
    assert f"{len(oanda) + len(fxcm):,}" in capsys.readouterr().out


def test_the_same_day_from_parquet_and_from_its_zip_is_stored_once(warehouse, recordings, tmp_path):
    empty_tables(warehouse)
    tickhouse_import(warehouse, recordings / "ticks/EURUSD_oanda.parquet")
    ticks = recorded_ticks("EURUSD_oanda")
    tickhouse_import(warehouse, vendor_files.lean(tmp_path, "oanda", "EURUSD", ticks, DAY))
    assert rows(warehouse, "SELECT count() FROM tick FINAL") == [(len(ticks),)]


def test_hours_of_a_feed_are_stored_together_as_they_are_one_by_one(warehouse, tmp_path):
    """Stored again, and beside others of the feed, they are compared; what differs is corrected."""
    ticks, hours = (
        recorded_ticks("EURUSD_oanda"),
        [datetime(2014, 5, 2, h, tzinfo=UTC) for h in range(6)],
    )
    paths = [vendor_files.bi5(tmp_path, "EURUSD", ticks, hour, 5) for hour in hours]
    empty_tables(warehouse)
    for path in paths:
        tickhouse_import(warehouse, path)
    alone, files = rows(warehouse, FEEDS), "SELECT uniqExact(ts_known), count() FROM tick_file"
    empty_tables(warehouse)
    tickhouse_import(warehouse, paths[2])
    tickhouse_import(warehouse, *paths[:2], *paths[3:])
    assert rows(warehouse, FEEDS) == alone
    assert rows(warehouse, files) == [(6, 6)]
    other = ticks.copy()
    other["ask"] += 0.00001
    changed = vendor_files.bi5(tmp_path / "later", "EURUSD", other, hours[4], 5)
    tickhouse_import(warehouse, *paths[:4], changed, paths[5])
    assert rows(
        warehouse, "SELECT count(), sum(corrected) > 1000, sum(withdrawn) FROM correction"
    ) == [(1, 1, 0)]


def test_refused_rows_lie_in_quarantine_once(warehouse, tmp_path, capsys):
    empty_tables(warehouse)
    path = tmp_path / "DAT_ASCII_EURUSD_T_202001.csv"
    good = "20200101 170000065,1.1,1.2,0\n"
    path.write_text(good + "junk\n" + good.replace("1.1", "0") + good)
    for _ in range(2):
        tickhouse_import(warehouse, path, code=1)  # half of its rows
    assert "50.0 % of its rows are in tick_quarantine" in capsys.readouterr().out
    tickhouse_import(warehouse, path, "--allow-quarantine", "50")
    stored = rows(
        warehouse,
        "SELECT row, reason, raw, startsWith(origin, 'DAT_ASCII_EURUSD_T_202001.csv:') "
        "FROM tick_quarantine FINAL ORDER BY row",
    )
    assert [row[:2] for row in stored] == [(2, "unparseable"), (3, "non_positive_price")]
    assert stored[0][2] == "junk"
    assert all(row[3] for row in stored)
    assert rows(warehouse, "SELECT seq FROM tick FINAL ORDER BY seq") == [(0,), (1,)]


def test_a_damaged_file_leaves_the_warehouse_as_it_was(warehouse, recordings, tmp_path):
    empty_tables(warehouse)
    damaged = tmp_path / "EURUSD_x.parquet"
    damaged.write_bytes((recordings / "ticks/USDJPY_truefx.parquet").read_bytes()[:-100])
    with pytest.raises(InputError, match=r"EURUSD_x\.parquet"):
        tickhouse_import(warehouse, recordings / "ticks/USDJPY_truefx.parquet", damaged)
    assert rows(warehouse, "SELECT count() FROM tick") == [(0,)]


def test_without_a_running_warehouse_one_is_started_and_ended(recordings, tmp_path):
    path = recordings / "ticks/USDJPY_truefx.parquet"
    parser = argparse.ArgumentParser()
    import_ticks.add_arguments(parser)
    settings = load({"TICKHOUSE_HOME": str(tmp_path / "home")})
    for _ in range(2):  # the second time finds the first one's leftovers
        assert import_ticks.run(parser.parse_args([str(path)]), settings) == 0
    server = Warehouse(tmp_path / "home")
    server.start()  # would fail if another one still held the directory
    try:
        assert rows(server, "SELECT count() FROM tick FINAL") == [(1000,)]
        # Now one is running: it is found by its home, and used.
        assert import_ticks.run(parser.parse_args([str(path)]), settings) == 0
        assert rows(server, "SELECT count() FROM tick FINAL") == [(1000,)]
    finally:
        assert server.stop() == 0


def test_a_file_of_before_its_correction_reconciles_with_its_own_versions(warehouse, tmp_path):
    empty_tables(warehouse)
    quotes = {"time_msc": [60_000 * n + 1_700_000_000_000 for n in range(5)],
              "bid": [1.1, 1.2, 1.3, 1.4, 1.5], "ask": [1.6] * 5}  # fmt: skip
    first, second = (tmp_path / name / "EURUSD_x.parquet" for name in "ab")
    for path, without in ((first, ()), (second, (3,))):
        path.parent.mkdir()
        rows_kept = [n for n in range(5) if n not in without]
        pq.write_table(pa.table({k: [v[n] for n in rows_kept] for k, v in quotes.items()}), path)
        quotes["bid"][1] = 1.25
        tickhouse_import(warehouse, path, *(["--complete"] if without else []))
    for path, versions in ((first, 2), (second, 0)):
        counted = recording.count(path, "x", "EURUSD", 1_000, 0)
        since = superseded.of_file(warehouse.client, path, counted)
        assert (since.versions, since.ticks, since.minutes) == (
            versions,
            versions // 2,
            versions // 2,
        )
        equations = reconcile.warehouse_equations(
            warehouse.client, "r", [counted], 0, 0, False, {("x", "EURUSD"): since}
        )
        about = [e for e in equations if e.name.startswith("x EURUSD")]
        assert [e for e in about if not e.holds] == []
    # A price that neither has is still a difference.
    quotes["bid"][1] = 1.27
    pq.write_table(pa.table(quotes), first)
    counted = recording.count(first, "x", "EURUSD", 1_000, 0)
    since = superseded.of_file(warehouse.client, first, counted)
    equations = reconcile.warehouse_equations(
        warehouse.client, "r", [counted], 0, 0, False, {("x", "EURUSD"): since}
    )
    assert [e.name for e in equations if not e.holds and "bids" in e.name]


def test_the_head_of_a_feed_reconciles_beside_the_rest_of_it(warehouse, recordings, tmp_path):
    empty_tables(warehouse)
    whole = recordings / "ticks" / "USDJPY_truefx.parquet"
    tickhouse_import(warehouse, whole)
    ticks = pq.read_table(whole)
    pq.write_table(ticks.slice(101, 500), tmp_path / whole.name)
    counted = recording.count(tmp_path / whole.name, "truefx", "USDJPY", 1_000, 0)
    equations = reconcile.warehouse_equations(warehouse.client, "r", [counted], 0, 0, False)
    about = [e for e in equations if e.name.startswith("truefx USDJPY")]
    assert len(about) == 5
    assert [e.name for e in about if not e.holds] == []
