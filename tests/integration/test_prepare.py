"""`tickhouse prepare`: what `up` does before it starts anything, for a server elsewhere."""

import os
import subprocess
import sys

import pytest
from confluent_kafka.admin import AdminClient

from orchestration import instance
from tests.support.buses import on_kafka
from tests.support.warehouse_server import ROOT, Warehouse


@pytest.fixture
def warehouse(tmp_path):
    """Running, and without tables."""
    server = Warehouse(tmp_path / "server")
    server.home.mkdir()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def prepare(tmp_path):
    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "prepare", *words],
            cwd=ROOT,
            env=os.environ | {"TICKHOUSE_HOME": str(tmp_path / "home")} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.process
def test_it_makes_tables_and_files_once_and_may_run_again(prepare, tmp_path, warehouse):
    first = prepare(**warehouse.environment)
    assert first.returncode == 0, first.stderr
    assert "001_tick" in first.stdout
    again = prepare(**warehouse.environment)
    assert "0 migrations applied" in again.stdout
    assert "none due" in again.stdout
    query = "SELECT count(), any(status) FROM tickhouse.run FINAL"
    assert warehouse.client.query(query).result_rows == [(1, "running")]
    numbers = "SELECT number, session_id FROM tickhouse.session FINAL ORDER BY number"
    (_, _), (second, name) = warehouse.client.query(numbers).result_rows
    assert second == 2
    assert f"TICKHOUSE_RUN__SESSION_ID={name}" in again.stdout
    assert instance.workspace(tmp_path / "home").exists()
    known = "SELECT source, symbol FROM tickhouse.instrument FINAL ORDER BY symbol"
    symbols = ("BTCUSD", "EURUSD", "XAUUSD")
    assert warehouse.client.query(known).result_rows == [("sim", symbol) for symbol in symbols]
    trades = "SELECT count() FROM tickhouse_marts_demo.fct_trade"  # there before dbt ever ran
    assert warehouse.client.query(trades).result_rows == [(0,)]
    ended = prepare("--end", **warehouse.environment)
    assert f"Session {name} has ended" in ended.stdout, ended.stderr
    status = "SELECT number, status, ts_end > ts_start FROM tickhouse.session FINAL ORDER BY number"
    rows = warehouse.client.query(status).result_rows
    assert rows == [(1, "running", 0), (2, "ended", 1)]


def test_without_a_server_it_names_the_setting(prepare):
    done = prepare()
    assert done.returncode == 2
    assert "TICKHOUSE_CLICKHOUSE__URL is empty" in done.stderr


@pytest.mark.process
def test_it_makes_the_topics_of_a_kafka(prepare, warehouse, kafka):
    at = on_kafka(kafka)
    named = {
        "TICKHOUSE_BUS__URL": kafka.url,
        "TICKHOUSE_BUS__TOPIC_PREFIX": at.settings.topic_prefix,
    }
    done = prepare(**warehouse.environment, **named, TICKHOUSE_BUS__KIND="kafka")
    assert done.returncode == 0, done.stderr
    listed = AdminClient({"bootstrap.servers": kafka.address}).list_topics(timeout=20).topics
    assert f"{at.settings.topic_prefix}order_events" in listed
