"""The whole graph on two days of recorded ticks, twice; a day with faults; input that is not there.

Ticks go through the real pipeline first; jobs run in Dagster itself, in processes of their own.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from core.home_users import DBT
from tests.e2e.replay_runs import environment, replay
from tests.support.dagster_runs import dagster_runs
from tests.support.dbt_command import reading, share_reading
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port
from tests.support.warehouse_server import ROOT, Warehouse

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(900),
    pytest.mark.heavy(suite="orchestration"),
]

DAYS = ("2014-05-06", "2014-05-07")
FAULTY = "2014-05-08"
MARTS = "tickhouse_marts_replay"


class Desk(NamedTuple):
    """A home after a replay and one pass of every job, with its warehouse running."""

    home: Path
    run_id: str
    url: str
    client: Client
    settings: dict[str, str]
    first: list[dict[str, Any]]  # what the first pass of jobs did

    def run(self, *steps: str, project: str = "", **more: str) -> list[dict[str, Any]]:
        return dagster_runs(self.home, *steps, project=project, **{**self.settings, **more})


def two_days(source: Path, folder: Path) -> Path:
    """The ticks of DAYS, cut at 17:00 New York."""
    start, end = (
        round(datetime(2014, 5, day, 21, tzinfo=UTC).timestamp() * 1000) for day in (5, 7)
    )
    table = pq.read_table(source)
    inside = pc.and_(pc.greater_equal(table["time_msc"], start), pc.less(table["time_msc"], end))
    path = folder / source.name
    pq.write_table(table.filter(inside), path, row_group_size=20_000)
    return path


@pytest.fixture(scope="module")
def desk(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder, home = tmp_path_factory.mktemp("ticks"), tmp_path_factory.mktemp("home")
    ticks = str(two_days(recordings / "ticks" / "EURUSD_oanda.parquet", folder))
    small = {
        "TICKHOUSE_MODELS__MEMBERS": "xgboost",
        "TICKHOUSE_MODELS__ROUNDS": "10",
        "TICKHOUSE_ORCHESTRATION__FOLDS": "1",
    }
    result = replay(home, [ticks, "--strategy", "scripted", "--train-first", "0.4"], **small)
    settings = {
        **small,
        "TICKHOUSE_ORCHESTRATION__MODE": "replay",
        "TICKHOUSE_ORCHESTRATION__RUN_ID": result["run_id"],
    }
    share_reading(home, "replay")
    server = Warehouse(home)
    server.start()
    try:
        # Training first: the marts know models.
        jobs = ("training_job", f"daily_job:{':'.join(DAYS)}", "maintenance_job")
        first = dagster_runs(home, *jobs, **settings)
        yield Desk(home, result["run_id"], server.url, server.client, settings, first)
    finally:
        server.stop()


def test_definitions_are_valid_by_dagsters_own_command(desk: Desk) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "dagster", "definitions", "validate"),
            *("-m", "orchestration.definitions", "-d", str(ROOT)),
        ],
        env=environment(
            desk.home, DAGSTER_HOME=str(desk.home / "dagster"), DAGSTER_DISABLE_TELEMETRY="1"
        ),
        cwd=desk.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


def tables(client: Client) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every mart, and of what checks and training stored."""
    names = client.query(
        "SELECT concat(database, '.', name) FROM system.tables "
        f"WHERE database = '{MARTS}' AND engine = 'MergeTree' ORDER BY name"
    ).result_rows
    wanted = [(str(name), "*") for (name,) in names]
    wanted += [
        ("tickhouse.check_result", "* EXCEPT ts_init"),
        ("tickhouse.model", "* EXCEPT ts_init"),
    ]
    return {
        name: client.query(
            f"SELECT count(), toString(groupBitXor(cityHash64({columns}))) FROM {name}"
            f"{' FINAL' if name.startswith('tickhouse.') else ''}"
        ).result_rows[0]
        for name, columns in wanted
    }


def test_every_asset_is_made_and_its_run_tells_what_it_did(desk: Desk) -> None:
    assert [step["success"] for step in desk.first] == [True] * 3, desk.first
    training, daily, maintenance = desk.first
    assert {"data_checks", "bar_reconciliation", "fct_trade", "fct_bar"} <= set(daily["made"])
    assert daily["checks"] > 20
    assert daily["failed_checks"] == []
    assert training["made"] == ["challenger"]
    assert maintenance["made"] == ["backup", "retained"]
    metadata = daily["metadata"]["data_checks"]
    assert metadata["from"] == "2014-05-05 21:00:00+00:00"
    assert metadata["to"] == "2014-05-07 21:00:00+00:00"
    assert metadata["ticks"].startswith("![ticks and spread](data:image/png;base64,")
    assert int(metadata["dagster/row_count"]) == desk.client.command(
        "SELECT count() FROM tick FINAL"
    )
    sites = desk.home / "sites"
    assert metadata["data docs"] == "/data-docs/2014-05-07/index.html"
    assert "order_event" in (sites / "data-docs" / "2014-05-07" / "index.html").read_text()
    models = desk.client.query("SELECT model, status FROM model FINAL").result_rows
    assert (training["metadata"]["challenger"]["model"], "candidate") in models
    assert list((desk.home / "backups").glob("*/manifest.json"))
    results = json.loads((desk.home / "dbt" / "run_results.json").read_text())["results"]
    kinds = {result["unique_id"].partition(".")[0] for result in results}
    assert kinds == {"model", "test", "exposure"}, "unit tests are run once, before it ships"


def test_a_second_pass_leaves_identical_tables(desk: Desk) -> None:
    before = tables(desk.client)
    again = desk.run("training_job", f"daily_job:{':'.join(DAYS)}")
    assert [step["success"] for step in again] == [True] * 2, again
    assert tables(desk.client) == before
    filled = {name for name, (rows, _) in before.items() if rows}
    marts = ("trade", "order", "pnl_daily", "signal_outcome", "execution_quality")
    marts += ("model_performance", "data_quality_daily")
    assert {f"{MARTS}.fct_{mart}" for mart in marts} < filled
    assert {"tickhouse.model", "tickhouse.check_result"} < filled


def test_what_was_traded_so_far_is_built_as_the_daily_run_builds_it(desk: Desk) -> None:
    before = tables(desk.client)
    so_far = ("fct_trade", "fct_order", "fct_pnl_daily", "fct_strategy_pnl_daily", "dim_symbol")
    for mart in so_far:
        desk.client.command(f"TRUNCATE TABLE {MARTS}.{mart}")
    (done,) = desk.run("intraday_job")
    assert done["success"], done
    assert int(done["metadata"]["intraday_marts"]["fct_trade"]) > 0
    assert tables(desk.client) == before


def examples() -> list[tuple[int, str]]:
    """Number and SQL of every query that the page shows."""
    page = (ROOT / "docs" / "how-to" / "query-the-warehouse.md").read_text()
    queries = re.findall(r"^(\d+)\\\. [\s\S]*?```sql\n([\s\S]*?)```", page, re.MULTILINE)
    return [(int(number), sql) for number, sql in queries]


def test_every_example_query_runs_and_finds_rows(desk: Desk) -> None:
    shown = examples()
    assert [number for number, _ in shown] == list(range(1, 21))
    rows_of = {
        number: len(desk.client.query(sql.replace("tickhouse_marts.", f"{MARTS}.")).result_rows)
        for number, sql in shown
    }
    assert {number for number, rows in rows_of.items() if rows == 0} == {5, 9, 20}, rows_of


def test_lineage_joins_every_fill_to_the_tick_behind_it(desk: Desk) -> None:
    fills, ticks, features, predictions, models = desk.client.query(
        "SELECT count(), countIf(tick_bid > 0), countIf(feature_mid > 0), "
        "countIf(prediction_id != ''), countIf(model = 'scripted') FROM lineage"
        " WHERE fill_kind != ''"
    ).result_rows[0]
    kinds = "('partially_filled', 'filled', 'closed')"
    stored = desk.client.command(f"SELECT count() FROM order_event FINAL WHERE kind IN {kinds}")
    assert fills == ticks == features == models == stored > 0
    assert 0 < predictions < fills  # the model began to predict after 0.4 of the span
    wrong = desk.client.command(
        "SELECT count() FROM lineage "
        "WHERE abs(toFloat64(tick_bid + tick_ask) / 2 - feature_mid) > 1e-9"
    )
    assert wrong == 0


def test_marts_are_the_same_whatever_outer_joins_give_and_compile_for_a_real_server(
    desk: Desk,
) -> None:
    """`join_use_nulls` is a user's setting; `distributed` the target with an address of its own."""
    target = desk.home / "compiled"
    dbt = Warehouse(desk.home, url=desk.url).settings_of(DBT)
    a_day = {"mode": "replay", "from_day": "2014-05-06", "to_day": "2014-05-06"}
    for name, selected, variables in (
        ("live", "fct_order", {"mode": "live"}),
        ("replay", "marts", a_day),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-W", "ignore", "-m", "orchestration.dbt_child", "compile"),
                *("--target", "distributed", "--select", selected),
                *("--parsed", str(reading()), "--vars", json.dumps(variables)),
                *("--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt")),
                *("--target-path", str(target / name), "--log-path", str(desk.home / "logs")),
            ],
            env=environment(
                desk.home, TICKHOUSE_CLICKHOUSE__URL=desk.url, PYTHONSAFEPATH="1",
                TICKHOUSE_CLICKHOUSE__USER=dbt.user, TICKHOUSE_CLICKHOUSE__PASSWORD=dbt.password,
            ),
            cwd=desk.home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
    live = (target / "live").rglob("compiled/**/fct_order.sql")
    assert "mode = 'live'" in next(live).read_text()
    models = sorted((target / "replay").rglob("compiled/**/models/marts/*/fct_*.sql"))
    named = "trading_day between toDate('2014-05-06') and toDate('2014-05-06')"
    assert sum(named in model.read_text() for model in models) >= 5
    for model in models:
        sql = model.read_text()
        checksum = f"SELECT count(), groupBitXor(cityHash64(*)) FROM ({sql})"
        sums = [
            desk.client.query(f"{checksum} SETTINGS join_use_nulls = {nulls}").result_rows[0]
            for nulls in (0, 1)
        ]
        assert sums[0] == sums[1], model.name


FAULTS = {
    # Everything of the day before, a day later, without an hour and with an hour of crossed quotes.
    "ticks": """
        INSERT INTO tick SELECT * REPLACE (
            ts_event + INTERVAL 1 DAY AS ts_event,
            if(toHour(ts_event) = 13, bid - toDecimal64('0.00001', 8), ask) AS ask
        ) FROM (
            SELECT * FROM tick FINAL
            WHERE ts_event >= '2014-05-06 21:00:00' AND toHour(ts_event) != 10
        )
    """,
    # Three hours of it came twice.
    "block": """
        INSERT INTO tick SELECT * REPLACE (seq + 1000 AS seq) FROM (
            SELECT * FROM tick FINAL
            WHERE ts_event >= '2014-05-07 21:00:00' AND toHour(ts_event) IN (14, 15, 16)
        )
    """,
    "feature": """
        INSERT INTO feature SELECT * REPLACE (
            ts_event + INTERVAL 1 DAY AS ts_event, 90 + rsi_14 / 20 AS rsi_14
        ) FROM (SELECT * FROM feature FINAL WHERE ts_event >= '2014-05-06 21:00:00')
    """,
    "fill": """
        INSERT INTO order_event SELECT * REPLACE (
            1000000 AS seq, 'orphan.1' AS event_id, 'orphan' AS order_id, 'nowhere' AS signal_id,
            ts_event + INTERVAL 1 DAY AS ts_event
        ) FROM (
            SELECT * FROM order_event FINAL WHERE kind = 'filled' AND purpose = 'entry'
            AND ts_event >= '2014-05-07 09:00:00' ORDER BY seq LIMIT 1
        )
    """,
}
FAILING = [
    "feature_drift",
    "order_event_fill_without_order",
    "order_event_order_without_signal",
    "tick_crossed",
    "tick_duplicate",
    "tick_gap",
]


def test_faults_fail_their_own_checks_hold_back_the_marts_and_late_ticks_restate_their_day(
    desk: Desk,
) -> None:
    for statement in FAULTS.values():
        desk.client.command(statement)
    # And a tick of the first day comes late.
    desk.client.command(
        "INSERT INTO tick SELECT * REPLACE (seq + 5 AS seq) FROM (SELECT * FROM tick FINAL "
        "WHERE ts_event < '2014-05-06 12:00:00' ORDER BY ts_event DESC LIMIT 1)"
    )
    (faulty,) = desk.run(f"daily_job:{FAULTY}")
    assert faulty["failed_checks"] == FAILING
    assert not faulty["success"]
    assert faulty["made"] == ["bar_reconciliation", "data_checks"]
    drifted = desk.client.query(
        "SELECT detail FROM check_result FINAL WHERE check_id LIKE '%.drift' AND status != 'passed'"
    ).result_rows
    assert "rsi_14" in json.loads(drifted[0][0])["examples"][0]

    # Marts that are rebuilt whole would hold the orphan; dbt's own tests refuse it.
    desk.client.command("DELETE FROM order_event WHERE order_id = 'orphan'")
    (daily,) = desk.run(f"daily_job:{DAYS[1]}")
    assert daily["success"], daily["failures"]
    metadata = daily["metadata"]["fct_trade"]
    assert metadata["held back"] == FAULTY
    assert f"| {DAYS[0]} | oanda | EURUSD |" in metadata["restated"]
    days = desk.client.query(
        f"SELECT trading_day, restated_from_ticks, ticks FROM {MARTS}.fct_data_quality_daily "
        "ORDER BY trading_day"
    ).result_rows
    assert [str(day) for day, _, _ in days] == list(DAYS)
    assert [before is not None and now - before for _, before, now in days] == [1, False]


def test_what_is_not_there_is_said_in_words_and_told(desk: Desk, tmp_path: Path) -> None:
    """A day without rows, a database without tables, no warehouse, a model that does not parse."""
    desk.client.command("CREATE DATABASE IF NOT EXISTS untouched")
    broken = tmp_path / "dbt"
    shutil.copytree(ROOT / "dbt", broken)
    (broken / "models" / "marts" / "trading" / "fct_order.sql").write_text("select {{ ref('x') }}")
    with Receiver() as receiver:
        empty, tableless, unreachable, wordless = desk.run(
            f"TICKHOUSE_ALERTS__WEBHOOK={receiver.url}", "data_checks_job:2014-05-20",
            "TICKHOUSE_ALERTS__WEBHOOK=", "TICKHOUSE_CLICKHOUSE__DATABASE=untouched",
            f"data_checks_job:{DAYS[0]}",
            f"TICKHOUSE_CLICKHOUSE__URL=http://127.0.0.1:{free_port()}",
            f"data_checks_job:{DAYS[0]}", f"marts_job:{DAYS[0]}", project=str(broken),
        )  # fmt: skip
    assert empty["success"]
    assert empty["failed_checks"] == ["rows_present"]
    assert [m["job"] for m in receiver.received] == ["data_checks"]
    assert "no rows on 2014-05-20" in receiver.received[0]["text"]
    assert not tableless["success"]
    assert "`tickhouse up`" in tableless["failures"][0]
    assert not unreachable["success"]
    assert "the warehouse does not answer" in unreachable["failures"][0]
    assert not wordless["success"]
    assert "depends on a node named 'x' which was not found" in wordless["failures"][0]
