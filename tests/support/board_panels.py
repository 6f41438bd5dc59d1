"""Every panel of every board with its SQL, as Grafana would send it: for tests and benchmarks."""

import json
from typing import Any

from clickhouse_connect.driver.client import Client

from dashboards.grafana.__main__ import FOLDER
from dashboards.grafana.macros import ALL, BoardSpan, expand

#: Points that Grafana asks for in a panel of about this many pixels.
POINTS = 1_000


def targets(name: str) -> list[tuple[str, dict[str, Any], str]]:
    """(title, panel, SQL) of a board's panels and marks."""
    board = json.loads((FOLDER / f"{name}.json").read_text())
    panels = [(p["title"], p, t["rawSql"]) for p in board["panels"] for t in p["targets"]]
    marks = [
        (a["name"], {"type": "mark"}, a["target"]["rawSql"]) for a in board["annotations"]["list"]
    ]
    return panels + marks


def with_parameters(client: Client, marts: str, mode: str, sql: str, interval_s: float = 60) -> str:
    """The statement of a panel whose time picker spans all that the tables it reads hold."""
    clocks = ("stage_latency", "process_state", "query_log")
    table = next((name for name in clocks if name in sql), "tick")
    span = client.query(
        f"SELECT toUnixTimestamp(min(ts_event)), toUnixTimestamp(max(ts_event)) FROM {table}"
    ).result_rows[0]
    order = client.command("SELECT min(order_id) FROM order_event WHERE kind = 'filled'")
    variables = {
        "mode": mode,
        "marts": marts,
        "source": "oanda",
        "symbol": "EURUSD",
        "account": ALL,
        "model": ALL,
        "order": str(order),
    }
    start, end = span[0] - 60, span[1] + 60
    return expand(sql, BoardSpan(start, end, max(interval_s, (end - start) / POINTS)), variables)
