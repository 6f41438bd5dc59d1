"""One replay's rows as marts, checks and assets: each compared with a calculation of its own.

The replay trades two feeds by the scripted rule; dbt builds once.
"""

import json
import subprocess
import sys
from datetime import UTC
from typing import Any

import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

from core.instruments import trading_day
from reports.base import Report
from reports.catalog import REPORTS
from tests.e2e.replay_runs import environment
from tests.integration.analysed import MARTS, Analysed

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]

FILLS = ("partially_filled", "filled", "closed")


def rows(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


def trades_by_hand(client: Client) -> pd.DataFrame:
    """Positions folded event by event in journal order: nothing in common with the marts' SQL."""
    trades: dict[tuple[str, int], dict[str, Any]] = {}
    for event in rows(client, "SELECT * FROM order_event FINAL ORDER BY run_id, seq"):
        if event["kind"] not in FILLS:
            continue
        trade = trades.setdefault(
            (event["run_id"], event["venue_position"]),
            {"volume": 0.0, "paid": 0.0, "held": 0.0, "profit_net": 0.0, "side": event["side"]},
        )
        entering = event["purpose"] == "entry" and event["kind"] != "closed"
        if entering:
            trade.setdefault("ts_open", event["ts_event"])
            trade["volume"] += event["volume"]
            trade["paid"] += event["volume"] * event["price"]
        trade["held"] += event["volume"] * (1 if entering else -1)
        trade["profit_net"] += event["profit"] + event["commission"] + event["swap"]
    frame = pd.DataFrame.from_dict(trades, orient="index")
    frame["price_open"] = frame["paid"] / frame["volume"]
    frame["is_closed"] = frame["held"].abs() < 1e-9
    return frame.rename_axis(["run_id", "venue_position"]).sort_index()


def test_trades_and_profit_are_those_of_an_independent_calculation(analysed: Analysed) -> None:
    names = ["side", "ts_open", "volume", "price_open", "is_closed", "profit_net"]
    trades = pd.DataFrame(rows(analysed.client, f"SELECT * FROM {MARTS}.fct_trade"))
    trades = trades.set_index(["run_id", "venue_position"]).sort_index()[names]
    by_hand = trades_by_hand(analysed.client)[names]
    assert len(trades) == len(by_hand) > 20
    pd.testing.assert_frame_equal(
        trades, by_hand, check_dtype=False, check_index_type=False, rtol=1e-9, atol=1e-9
    )
    by_day = analysed.client.command(f"SELECT sum(profit_net) FROM {MARTS}.fct_pnl_daily")
    assert float(str(by_day)) == pytest.approx(by_hand["profit_net"].sum())
    assert round(float(str(by_day)), 2) == analysed.result["profit_after_costs"]


def test_a_strategys_days_are_its_fills_and_orders_event_by_event(analysed: Analysed) -> None:
    earned: dict[tuple[str, Any], float] = {}
    fills: dict[tuple[str, Any], int] = {}
    began: dict[str, tuple[str, Any]] = {}
    for event in rows(analysed.client, "SELECT * FROM order_event FINAL ORDER BY run_id, seq"):
        time_us = round(event["ts_event"].replace(tzinfo=UTC).timestamp() * 1e6)
        key = event["strategy"], trading_day(time_us)
        began.setdefault(event["order_id"], key)
        if event["kind"] in FILLS:
            money = event["profit"] + event["commission"] + event["swap"]
            earned[key] = earned.get(key, 0.0) + money
            fills[key] = fills.get(key, 0) + 1
    days = rows(analysed.client, f"SELECT * FROM {MARTS}.fct_strategy_pnl_daily")
    by_key = {(day["strategy"], day["trading_day"]): day for day in days}
    assert by_key.keys() == earned.keys() | set(began.values())
    for key, day in by_key.items():
        assert day["profit_net"] == pytest.approx(round(earned.get(key, 0.0), 2), abs=1e-9)
        assert day["fills"] == fills.get(key, 0)
        assert day["orders"] == list(began.values()).count(key)


def test_marts_count_what_the_replay_counted(analysed: Analysed) -> None:
    counted = rows(
        analysed.client,
        f"""
        SELECT
            (SELECT sum(ticks) FROM {MARTS}.fct_data_quality_daily) AS ticks_stored,
            (SELECT sum(crossed) FROM {MARTS}.fct_data_quality_daily) AS crossed,
            (SELECT sum(predictions) FROM {MARTS}.fct_model_performance) AS predictions,
            (SELECT countIf(status = 'denied') FROM {MARTS}.fct_order) AS orders_denied,
            (SELECT count() FROM {MARTS}.fct_denial_outcome) AS denied_entries,
            (SELECT sum(fills) FROM {MARTS}.fct_pnl_daily) AS fills
        """,
    )[0]
    for name in ("ticks_stored", "predictions", "orders_denied"):
        assert counted[name] == analysed.result[name], name
    assert counted["crossed"] == analysed.result["ticks_flagged"]["crossed"] > 0
    assert counted["denied_entries"] <= counted["orders_denied"]
    assert counted["fills"] > 0


def test_contracts_hold_when_outer_joins_give_nulls_and_live_marts_stay_empty(
    analysed: Analysed,
) -> None:
    """Columns without Nullable in the contract are not Nullable in the table."""
    kinds = dict(
        analysed.client.query(
            "SELECT name, type FROM system.columns WHERE database = {db:String} "
            "AND table = 'fct_signal_outcome'",
            parameters={"db": MARTS},
        ).result_rows
    )
    assert kinds["day_rows"] == "UInt64"
    assert kinds["mid_at_horizon"] == "Nullable(Float64)"
    assert "Done. PASS=" in analysed.built
    live = "SELECT count() FROM system.tables WHERE database = 'tickhouse_marts'"
    assert analysed.client.command(live) == 0


def test_checks_flag_the_dirty_feed_alone_and_exit_with_a_code(analysed: Analysed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "check", "--json"],
        env=environment(analysed.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    checks = json.loads(done.stdout)["checks"]
    suites = {"tick", "bar", "feature", "prediction", "order_event"}
    assert suites <= {c["suite"] for c in checks}  # label and money have rows on some days only
    blocking = {
        c["check_id"] for c in checks if c["status"] != "passed" and c["severity"] == "error"
    }
    assert blocking == {"fxcm.EURUSD.crossed"}
    stored = analysed.client.query("SELECT check_id FROM check_result FINAL").result_rows
    assert {check_id for (check_id,) in stored} == {c["check_id"] for c in checks}


def about_orders(client: Client, report: Report) -> dict[str, str]:
    """The report's marts whose rows name an order, each with its column of the run or none."""
    columns = client.query(
        "SELECT table, groupArray(name) FROM system.columns WHERE database = {db:String}"
        " AND table IN {marts:Array(String)} GROUP BY table",
        parameters={"db": MARTS, "marts": list(report.marts)},
    ).result_rows
    return {
        mart: "run_id" if "run_id" in names else "''"
        for mart, names in columns
        if "order_id" in names
    }


#: Without rows here: without reference data nothing is reportable, and the rule abuses nothing.
#: tests/integration/test_golden_reports.py and test_abuse.py have theirs.
EMPTY = {"rpt_rts22_field", "rpt_emir_field", "rpt_emir_margin", "rpt_abuse_alert"}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_reports_rows_lead_to_their_ticks_by_sql_alone(
    analysed: Analysed, report: Report
) -> None:
    """Row, order events, signal, feature row, tick: each is there, and none is another's."""
    for mart, run in about_orders(analysed.client, report).items():
        orders = analysed.client.query(
            f"SELECT DISTINCT order_id, {run} FROM {MARTS}.{mart} WHERE order_id != ''"
            " ORDER BY order_id LIMIT 5"
        ).result_rows
        assert bool(orders) != (mart in EMPTY), f"{mart} has no row about an order to begin at"
        for order, its_run in orders:
            lineage = rows(
                analysed.client,
                f"""
                SELECT l.order_id, l.signal_id, l.tick_status, l.signal_session_id, t.bid, t.ask,
                    l.tick_bid_then, l.tick_ask_then, f.mid, l.reference_price
                FROM lineage_of(run = '{its_run}', order = '{order}') AS l
                LEFT JOIN tick AS t FINAL
                    ON l.source = t.source AND l.symbol = t.symbol AND l.ts_signal = t.ts_event
                    AND l.seq = t.seq
                LEFT JOIN feature AS f FINAL
                    ON l.run_id = f.run_id AND l.source = f.source AND l.symbol = f.symbol
                    AND l.ts_signal = f.ts_event AND l.seq = f.seq
                """,
            )
            assert lineage, (mart, order)
            for event in lineage:
                assert (event["order_id"], event["tick_status"]) == (order, "unchanged"), mart
                assert event["bid"] == event["tick_bid_then"] > 0
                assert event["ask"] == event["tick_ask_then"]
                middle = float(event["bid"] + event["ask"]) / 2
                assert event["mid"] == pytest.approx(middle) == event["reference_price"]
                assert event["signal_session_id"] == analysed.result["run_id"]


def test_the_marts_of_lineage_hold_every_order_event(analysed: Analysed) -> None:
    stored = analysed.client.command("SELECT count() FROM order_event FINAL")
    (counted,) = rows(
        analysed.client,
        f"SELECT count() AS events, countIf(tick_status = 'unchanged') AS traced,"
        f" countIf(signal_id != '') AS signalled FROM {MARTS}.rpt_lineage",
    )
    assert counted["events"] == stored
    assert counted["traced"] == counted["signalled"] > 0


def test_columns_of_a_mart_are_described_once_and_not_computed(analysed: Analysed) -> None:
    analysed.client.command("SYSTEM FLUSH LOGS query_log")
    described, distinct, computed = analysed.client.query(
        "SELECT countIf(startsWith(query, 'DESCRIBE TABLE (')) AS described,"
        " uniqExactIf(query, startsWith(query, 'DESCRIBE TABLE (')),"
        " countIf(query LIKE 'SELECT * FROM (%LIMIT 0')"
        " FROM system.query_log WHERE type = 'QueryFinish'"
        " AND event_time_microseconds < toDateTime64({built:String}, 6, 'UTC')",
        parameters={"built": analysed.built_at},
    ).first_row
    assert (described, computed) == (distinct, 0)
    assert described >= 30
