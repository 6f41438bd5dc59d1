"""Sensors on a real warehouse: drift asks for one training, silence is told once."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from msgspec.structs import replace

from orchestration.defs.intraday import intraday_sensor
from orchestration.defs.restatement import restatement_sensor
from orchestration.defs.streams import FAIL, TABLES, TableState, silent_feeds
from orchestration.resources import Tickhouse
from orchestration.restatement.rows import ALL, Restatement, write
from orchestration.sensors import drift_sensor, events, members_sensor, streams_sensor
from quality.check_result import CheckResult, blocked_days, store
from tests.support import orders
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse  # noqa: F401

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Dagster of pydantic
]
_BUILD = dg.GraphDefinition(name="intraday_job").to_job()  # of nothing: its runs count
CLOSE_US = round(datetime(2014, 5, 7, 21, tzinfo=UTC).timestamp() * 1e6)


@pytest.fixture
def told_to(
    warehouse: Warehouse,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Warehouse:
    """Settings of the environment name the warehouse."""
    empty_tables(warehouse)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse.reached(monkeypatch)
    return warehouse


def result(check: str, status: str, severity: str, checked_us: int) -> CheckResult:
    place = (check, "feature", "feature", "r", CLOSE_US, checked_us)
    return CheckResult(
        *place, status=status, severity=severity, observed=0.1, expected="", rows_checked=9,
        rows_failed=1, detail="{}",
    )  # fmt: skip


def evaluated(sensor: Any, cursor: str | None, instance: Any = None) -> tuple[Any, Any]:
    """What a sensor returned, and its cursor afterwards."""
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"tickhouse": Tickhouse()}
    ) as context:
        result = sensor(context)
        return result, getattr(result, "cursor", None) or context.cursor


def test_drift_asks_for_one_training_and_waits_for_one_that_goes(
    told_to: Warehouse, dagster_instance: dg.DagsterInstance
) -> None:
    first, cursor = evaluated(drift_sensor, None, dagster_instance)
    assert isinstance(first, dg.SkipReason)
    drifted = [result(f"r.x.{s}.drift", "failed", "warning", 5) for s in ("EURUSD", "XAUUSD")]
    store(told_to.client, [*drifted, result("r.x.GBPUSD.drift", "passed", "warning", 6)])
    requested, cursor = evaluated(drift_sensor, cursor, dagster_instance)
    assert isinstance(requested, dg.RunRequest)
    why = requested.run_config["ops"]["challenger"]["config"]["why"]
    assert "2014-05-07 r.x.EURUSD.drift" in why
    assert "GBPUSD" not in why
    again, cursor = evaluated(drift_sensor, cursor, dagster_instance)
    assert isinstance(again, dg.SkipReason)
    store(told_to.client, [result("r.x.NZDUSD.drift", "failed", "warning", 9)])
    dagster_instance.add_run(
        dg.DagsterRun(job_name="training_job", status=dg.DagsterRunStatus.STARTED)
    )
    waits, _ = evaluated(drift_sensor, cursor, dagster_instance)
    assert isinstance(waits, dg.SkipReason)
    assert "still runs" in str(waits.skip_message)


def test_a_day_is_blocked_until_its_check_passes(told_to: Warehouse) -> None:
    store(told_to.client, [result("r.x.EURUSD.range", "failed", "error", 5)])
    store(told_to.client, [result("r.x.EURUSD.drift", "failed", "warning", 5)])
    assert [str(day) for day in blocked_days(told_to.client)] == ["2014-05-07"]
    store(told_to.client, [result("r.x.EURUSD.range", "passed", "error", 9)])
    assert blocked_days(told_to.client) == []


def test_tables_that_move_count_as_made_and_empty_ones_as_unknown(told_to: Warehouse) -> None:
    result, cursor = evaluated(streams_sensor, None)
    assert result.asset_events == []
    told_to.client.command(
        "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) "
        "VALUES ('x', 'NOSUCH', '2014-05-07 12:00:00', 0, 1, 2)"
    )
    result, cursor = evaluated(streams_sensor, cursor)
    (built,) = result.asset_events
    assert built.asset_key == dg.AssetKey(["market", "tick"])
    assert built.metadata["dagster/row_count"].value == 1
    assert json.loads(cursor)["last"] == {
        **{streamed.table: "None" for streamed in TABLES},
        "tick": "2014-05-07 12:00:00+00:00",
    }


def test_an_open_market_without_ticks_is_late_and_a_closed_one_is_not(told_to: Warehouse) -> None:
    told_to.client.command(
        "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) VALUES "
        "('x', 'EURUSD', '2014-05-09 12:00:00', 0, 1, 2), "
        "('x', 'BTCUSD', '2014-05-09 12:00:00', 0, 1, 2)"
    )

    def late(day: int, hour: int) -> list[str]:
        now = datetime(2014, 5, day, hour, tzinfo=UTC)
        return silent_feeds(told_to.client, round(now.timestamp() * 1e6), FAIL.total_seconds())

    assert [text.partition(":")[0] for text in late(9, 13)] == ["x BTCUSD", "x EURUSD"]
    assert [text.partition(":")[0] for text in late(10, 12)] == ["x BTCUSD"]  # a Saturday
    assert late(9, 12) == []
    assert late(30, 12) == []  # given up weeks ago


def test_a_warehouse_that_does_not_answer_is_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("TICKHOUSE_CLICKHOUSE__URL", f"http://127.0.0.1:{free_port()}")
    with Receiver() as receiver:
        monkeypatch.setenv("TICKHOUSE_ORCHESTRATION__WEBHOOK", receiver.url)
        result, cursor = evaluated(streams_sensor, None)
        again, _ = evaluated(streams_sensor, cursor)
    assert isinstance(result, dg.SkipReason)
    assert isinstance(again, dg.SkipReason)
    assert [body["job"] for body in receiver.received] == ["streams"]
    assert "the warehouse does not answer" in receiver.received[0]["text"]


def test_a_member_without_a_part_is_told_once(
    told_to: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows as the stream writes them; other runs' are not ours to tell."""
    insert = (
        "INSERT INTO model_event (run_id, mode, ts_event, model, member, kind, detail) VALUES"
        " ('live', 'live', now64(6), 'ab12', 'lightgbm', 'missing', 'its file is gone'),"
        " ('live', 'live', now64(6), 'ab12', '', 'in use', 'shadow: none'),"
        " ('other', 'replay', now64(6), 'ab12', 'linear', 'silent', 'no number')"
    )
    with Receiver() as receiver:
        monkeypatch.setenv("TICKHOUSE_ALERTS__WEBHOOK", receiver.url)
        before, cursor = evaluated(members_sensor, None)
        assert "every member" in str(before.skip_message)
        told_to.client.command(insert)
        result, cursor = evaluated(members_sensor, cursor)
        again, _ = evaluated(members_sensor, cursor)
    assert "told: lightgbm missing: its file is gone" in str(result.skip_message)
    assert "every member" in str(again.skip_message)
    (body,) = receiver.received
    assert (body["job"], body["model"]) == ("members", "ab12")
    assert "lightgbm missing" in body["text"]
    assert "linear" not in body["text"]


def test_a_correction_is_restated_by_one_run_until_something_is_different(
    told_to: Warehouse, dagster_instance: dg.DagsterInstance
) -> None:
    before, _ = evaluated(restatement_sensor, None, dagster_instance)
    assert isinstance(before, dg.SkipReason)
    row = Restatement("c1", "mart", ALL, date(2014, 5, 7), "oanda", "EURUSD")
    write(told_to.client, [row], 5)
    first, again = (evaluated(restatement_sensor, None, dagster_instance)[0] for _ in range(2))
    assert first.run_key == again.run_key  # Dagster starts a run of one key once
    store(told_to.client, [result("oanda.EURUSD.crossed", "failed", "error", 5)])
    held, _ = evaluated(restatement_sensor, None, dagster_instance)
    assert held.run_key != first.run_key
    write(told_to.client, [replace(row, status="done", changed_us=9)], 0)
    done, _ = evaluated(restatement_sensor, None, dagster_instance)
    assert isinstance(done, dg.SkipReason), "a state written by a clock that was set back counts"


def test_marts_of_what_was_traded_are_built_once_for_the_orders_that_came(
    told_to: Warehouse, dagster_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_ORCHESTRATION__MODE", "live")

    def evaluate(cursor: str | None) -> tuple[Any, Any]:
        return evaluated(intraday_sensor, cursor, dagster_instance)

    before, cursor = evaluate(None)
    assert before.skip_message == "no order since"
    begun_us = orders.at("2026-03-02 10:00")
    orders.store(told_to.settings, orders.filled(1, begun_us))
    wanted, cursor = evaluate(cursor)
    assert wanted.run_key == cursor == str(begun_us + 2_000)
    assert evaluate(cursor)[0].skip_message == "no order since"
    orders.store(told_to.settings, orders.filled(2, begun_us + orders.SECOND))
    monkeypatch.setenv("TICKHOUSE_ORCHESTRATION__INTRADAY_S", "0")
    assert "after the trading day" in evaluate(cursor)[0].skip_message
    monkeypatch.delenv("TICKHOUSE_ORCHESTRATION__INTRADAY_S")
    row = Restatement("c1", "mart", ALL, date(2026, 3, 2), "sim", "EUIX50")
    write(told_to.client, [row], 5)
    assert "correction" in evaluate(cursor)[0].skip_message
    write(told_to.client, [replace(row, status="done", changed_us=9)], 0)
    assert _BUILD.execute_in_process(instance=dagster_instance).success
    assert "built lately; again in" in evaluate(cursor)[0].skip_message
    dagster_instance.create_run_for_job(_BUILD, status=dg.DagsterRunStatus.STARTED)
    assert "still runs" in evaluate(cursor)[0].skip_message


def test_a_quiet_market_owes_no_rows() -> None:
    tick = next(streamed for streamed in TABLES if streamed.table == "tick")
    observed = [
        TableState(tick, 1, datetime(2014, 5, 9, tzinfo=UTC), datetime(2014, 5, 9, tzinfo=UTC))
    ]
    before = {"tick": str(observed[0].last)}
    assert len(events(observed, before, late=False)) == 1
    assert events(observed, before, late=True) == []
