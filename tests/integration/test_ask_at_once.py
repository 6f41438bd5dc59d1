"""`tickhouse ask` of a home in which nothing but the product itself ever did anything."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.clickhouse import marts, traded_marts
from adapters.clickhouse.rows import run_columns
from adapters.clickhouse.writer import Writer
from core.contracts.order import EventKind
from core.sections import RunSettings
from tests.e2e.replay_runs import environment
from tests.support import new_home, orders
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process]
_END_US = orders.at("2026-03-03 12:00")


def _ask(home: Path, *words: str) -> tuple[dict[str, Any], str]:
    line = [sys.executable, "-m", "cli.main", "ask", "--json", *words]
    done = subprocess.run(
        line, env=environment(home), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer, done.stderr


@pytest.fixture
def replayed(tmp_path: Path) -> Path:
    """A home with the tables of a replay, its run and a trade; nothing runs on it."""
    server = Warehouse(new_home.for_replay(tmp_path / "home"))
    server.start()
    try:
        run = RunSettings("r1", "replay", "acc1", "model")
        columns = run_columns(
            run, span_us=(orders.at("2026-03-02 00:00"), _END_US), status="reconciled", inputs="{}",
            settings="{}", feature_set_hash="", model="",
        )  # fmt: skip
        with Writer(server.settings) as writer:
            writer.insert("run", columns)
        orders.store(server.settings, _trade(server, orders.at("2026-03-03 10:00")))
    finally:
        server.stop()
    return tmp_path / "home"


def _trade(server: Warehouse, ts_us: int) -> list[Any]:
    """Opened and closed; 7.50 before commissions of 1 each way."""
    mine = {"run_id": "r1", "mode": "replay", "symbol": "EURUSD"}
    closing = {
        "purpose": "exit", "side": "sell", "venue_position": 1, "profit": 7.5, "volume": 1.0,
    }  # fmt: skip
    events = [
        *orders.filled(1, ts_us, **mine),
        *orders.filled(2, ts_us + 60 * orders.SECOND, **(mine | closing)),
    ]
    return orders.journalled(server.home / "journal", events)


def test_what_a_replay_traded_is_known_at_once(replayed: Path) -> None:
    answer, notice = _ask(replayed, "profit by symbol today")
    assert answer["rows"] == [{"by_symbol": "EURUSD", "Profit": 5.5}]
    assert "of mode replay, in which it is 2026-03-03 12:00" in notice.lower()
    assert "filled first" in notice
    assert "; marts of 2" in answer["says"]
    again, notice = _ask(replayed, "how many trades yesterday")
    assert again["rows"] == [{"Trades": 0}]
    assert "filled first" not in notice


def test_a_mode_that_there_is_not_makes_no_database(replayed: Path) -> None:
    line = [sys.executable, "-m", "cli.main", "ask", "profit", "--mode", "x`; DROP TABLE run; --"]
    done = subprocess.run(
        line, env=environment(replayed), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def test_a_mode_in_which_nothing_was_traded_is_not_filled_each_time(replayed: Path) -> None:
    for _ in range(2):
        _, notice = _ask(replayed, "profit today", "--mode", "shadow")
        assert "filled first" not in notice


def test_a_home_without_a_trade_says_that_its_marts_are_empty(tmp_path: Path) -> None:
    answer, _ = _ask(new_home.for_replay(tmp_path / "home"), "profit today")
    assert answer["says"].endswith("no row is in these marts so far")


def test_orders_of_the_minute_before_do_not_fill_them_again(replayed: Path) -> None:
    server = Warehouse(replayed)
    server.start()
    try:
        client = server.client
        marts.make(client, ["replay"])
        assert traded_marts.is_due(client, "replay")
        traded_marts.fill(client, "replay")
        event = orders.event(9, EventKind.RECEIVED, _END_US, run_id="r1", mode="replay", seq=99)
        orders.store(server.settings, [event])
        assert not traded_marts.is_due(client, "replay")
        left = "SELECT count() FROM system.tables WHERE name LIKE '%__filling'"
        assert client.command(left) == 0
    finally:
        server.stop()
