"""A replay of real ticks, analysed by dbt and judged: what marts, boards and checks are tested on.

The replay trades two feeds by the scripted rule; dbt builds once for all of these tests. What does
not happen in a replay is planted before that: a late alert of a denied order, a statement of the
broker that lacks our deals, a record that is gone from the middle of the journal's rows.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from cli.times import BEGINNING, END
from core.home_users import DBT
from core.sections import ClickhouseSettings, RunSettings
from core.settings import Settings
from models.monitoring.performance import watch
from models.serving.card import Span
from tests.e2e.replay_runs import cut, environment, replay
from tests.support.dbt_command import dbt_command
from tests.support.warehouse_server import Warehouse

MARTS = "tickhouse_marts_replay"
PLANTED = (
    "INSERT INTO control_alert SELECT concat(order_id, '.1'), mode, account, reason, order_id,"
    " 'planted', ts_event, ts_event + INTERVAL 1 MINUTE, 'log'"
    " FROM order_event FINAL WHERE kind = 'denied' ORDER BY seq LIMIT 1",
    "INSERT INTO broker_account (statement_date, ts_init, mode, account, ts_event, currency,"
    " balance, equity) SELECT toDate(ts_event, 'UTC'), ts_event + INTERVAL 1 DAY, mode, account,"
    " ts_event, 'USD', 0, 0 FROM order_event FINAL WHERE kind = 'filled' ORDER BY seq LIMIT 1",
    "DELETE FROM order_event WHERE kind = 'accepted' AND seq ="
    " (SELECT min(seq) FROM order_event WHERE kind = 'accepted' AND seq > 10)",
)


class Analysed(NamedTuple):
    """A home after a replay and one dbt build, with its warehouse running."""

    home: Path
    result: dict[str, Any]
    warehouse: Warehouse
    client: Client
    built: str  # what dbt printed
    built_at: str  # by the server's clock; other tests build some of it again


def dbt(
    home: Path, where: ClickhouseSettings, *words: str, mode: str = "replay"
) -> "subprocess.CompletedProcess[str]":
    """The dbt command against a warehouse; it writes into the home only."""
    return dbt_command(where, home, words, {"mode": mode})


def judge(home: Path, result: dict[str, Any], server: Warehouse) -> None:
    """What `tickhouse models watch` writes of the model that predicted."""
    settings = Settings(
        home=str(home),
        run=RunSettings(result["run_id"], "replay", result["run_id"], "scripted"),
        clickhouse=server.settings,
    )
    model = server.client.command("SELECT any(model) FROM prediction")
    watch(server.client, home / "models", str(model), "champion", Span(BEGINNING, END), settings)


def analyse(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysed]:
    """Replay, build, serve; stops the server at the end."""
    folder, home = tmp_path_factory.mktemp("ticks"), tmp_path_factory.mktemp("home")
    files = [
        str(cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 12_000)),
        str(cut(recordings / "ticks" / "EURUSD_fxcm.parquet", folder, 90_000, 20_000)),
    ]
    result = replay(home, [*files, "--strategy", "scripted", "--train-first", "0.4"])
    assert environment(home)["TICKHOUSE_HOME"] == str(home)
    server = Warehouse(home)
    server.start()
    try:
        for statement in PLANTED:
            server.client.command(statement)
        done = dbt(home, server.settings_of(DBT), "build")
        assert done.returncode == 0, done.stdout[-4000:]
        built_at = str(server.client.command("SELECT toString(now64(6, 'UTC'))"))
        judge(home, result, server)
        yield Analysed(home, result, server, server.client, done.stdout, built_at)
    finally:
        server.stop()
