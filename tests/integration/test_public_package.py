"""`tickhouse.connect()` on a stack that runs, on a home where nothing does, and on none."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

import tickhouse
from cli.commands import import_ticks
from core.settings import Settings
from tests.integration.analysed import MARTS, Analysed
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse, migrated
from warehouse.occasion import answering_url

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A running warehouse with one feed of two brokers."""
    warehouse = migrated(tmp_path_factory.mktemp("public"))
    parser = argparse.ArgumentParser()
    import_ticks.add_arguments(parser)
    paths = [str(recordings / "ticks" / f"EURUSD_{s}.parquet") for s in ("oanda", "fxcm")]
    where = msgspec.structs.replace(Settings(), clickhouse=warehouse.settings)
    assert import_ticks.run(parser.parse_args(paths), where) == 0
    yield warehouse
    warehouse.stop()


def test_a_running_stack_answers_ticks_and_bars(server):
    recorded = recorded_ticks("EURUSD_oanda")
    with tickhouse.connect(server.home) as home:
        assert home.url.startswith(server.url)
        ticks = home.ticks("EURUSD", source="oanda").pandas()
        assert np.allclose(ticks.bid, recorded["bid"])
        assert str(ticks.ts_event.dtype) == "datetime64[us, UTC]"
        bars = home.bars("EURUSD", interval="1h", source="oanda").polars()
        assert bars["tick_count"].sum() == len(recorded)
        assert set(home.bars("EURUSD").pandas().source) == {"oanda", "fxcm"}
        last = ticks.ts_event.iloc[-1]
        assert set(home.ticks("EURUSD", source="oanda", start=last).pandas().ts_event) == {last}
        assert last not in set(home.ticks("EURUSD", source="oanda", end=last).pandas().ts_event)


def test_questions_in_sql_bind_their_parameters(server):
    with tickhouse.connect(server.home) as home:
        sql = "SELECT count() AS n FROM tick FINAL WHERE source = {broker:String}"
        (n,) = home.sql(sql, {"broker": "fxcm"}).arrow()["n"].to_pylist()
    assert n == len(recorded_ticks("EURUSD_fxcm"))


def test_a_connection_reads_and_changes_nothing(server):
    with tickhouse.connect(server.home) as home:
        for statement in ("DROP TABLE tick", "ALTER TABLE tick DELETE WHERE 1", "SELEC 1"):
            with pytest.raises(tickhouse.WarehouseError):
                home.sql(statement)
        assert len(home.symbols()) == 2


def test_a_misspelt_symbol_is_an_error_and_an_empty_span_is_not(server):
    with tickhouse.connect(server.home) as home:
        with pytest.raises(tickhouse.InputError, match="did you mean 'EURUSD'"):
            home.ticks("EURSUD")
        with pytest.raises(tickhouse.InputError, match="none of 1s, 1m, 5m, 1h"):
            home.bars("EURUSD", interval="2m")
        with pytest.raises(tickhouse.InputError, match="nothing ran on this home"):
            home.trades()
        assert len(home.ticks("EURUSD", end="2001-01-01")) == 0


def test_a_home_on_disk_answers_without_a_stack_and_is_left_as_it_was(server):
    server.stop()
    with tickhouse.connect(server.home) as home:
        assert answering_url(server.home)
        assert len(home.symbols()) == 2
    assert not answering_url(server.home)


def test_a_program_that_is_killed_leaves_no_warehouse_behind(server):
    server.stop()
    program = (
        f"import tickhouse\nhome = tickhouse.connect({str(server.home)!r})\n"
        "print('open', flush=True)\ninput()"
    )
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        child.kill()
    deadline = time.monotonic() + 60
    while answering_url(server.home):
        assert time.monotonic() < deadline, "the warehouse outlived who started it"
        time.sleep(0.05)


def test_what_is_no_home_is_refused_and_left_alone(tmp_path):
    with pytest.raises(tickhouse.InputError, match="is no home of Tickhouse"):
        tickhouse.connect(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_server_that_does_not_run_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("TICKHOUSE_CLICKHOUSE__URL", "http://127.0.0.1:9")
    with pytest.raises(tickhouse.UnavailableError, match="does not answer"):
        tickhouse.connect(tmp_path)


def test_a_home_without_tables_says_what_makes_them(tmp_path):
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    try:
        with (
            tickhouse.connect(tmp_path) as home,
            pytest.raises(tickhouse.UnavailableError, match="holds no tables yet"),
        ):
            home.symbols()
    finally:
        warehouse.stop()


@pytest.mark.heavy(suite="orchestration")
def test_trades_are_those_of_the_mart(analysed: Analysed):
    with tickhouse.connect(analysed.home) as home:
        (run,) = home.runs().arrow()["run_id"].to_pylist()
        trades = home.trades(run=run)
        listed = ", ".join(c for c in trades.columns if c != "exit_purpose")
        order = "ORDER BY ts_open, venue_position"
        mart = home.sql(f"SELECT {listed} FROM {MARTS}.fct_trade WHERE run_id = '{run}' {order}")
        assert trades.arrow().select(mart.columns).to_pylist() == mart.arrow().to_pylist()
        symbol = trades.arrow()["symbol"][0].as_py()
        rows = home.features(symbol)
        assert rows.columns[-len(tickhouse.FEATURE_NAMES) :] == tickhouse.FEATURE_NAMES
        assert len(rows)
