"""One replay's rows as marts, checks and assets: each compared with a calculation of its own.

The replay trades two feeds by the scripted rule; dbt builds once.
"""

import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

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
    found = pd.DataFrame(rows(analysed.client, f"SELECT * FROM {MARTS}.fct_trade"))
    found = found.set_index(["run_id", "venue_position"]).sort_index()[names]
    by_hand = trades_by_hand(analysed.client)[names]
    assert len(found) == len(by_hand) > 20
    pd.testing.assert_frame_equal(
        found, by_hand, check_dtype=False, check_index_type=False, rtol=1e-9, atol=1e-9
    )
    by_day = analysed.client.command(f"SELECT sum(profit_net) FROM {MARTS}.fct_pnl_daily")
    assert float(str(by_day)) == pytest.approx(by_hand["profit_net"].sum())
    assert round(float(str(by_day)), 2) == analysed.result["profit_after_costs"]


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
    told = subprocess.run(
        [sys.executable, "-m", "cli.main", "check", "--json"],
        env=environment(analysed.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1, told.stderr[-2000:]
    found = json.loads(told.stdout)["checks"]
    suites = {"tick", "bar", "feature", "prediction", "order_event"}
    assert suites <= {c["suite"] for c in found}  # label and money have rows on some days only
    blocking = {
        c["check_id"] for c in found if c["status"] != "passed" and c["severity"] == "error"
    }
    assert blocking == {"fxcm.EURUSD.crossed"}
    stored = analysed.client.query("SELECT check_id FROM check_result FINAL").result_rows
    assert {check_id for (check_id,) in stored} == {c["check_id"] for c in found}
