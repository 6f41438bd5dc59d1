"""Every panel of every board with its SQL, as Grafana would send it: for tests and benchmarks."""

import json
import re
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import QueryResult

from dashboards.grafana.__main__ import FOLDER
from dashboards.grafana.macros import ALL, BoardSpan, expand

#: Points that Grafana asks for in a panel of about this many pixels.
POINTS = 1_000

_DRAWN = re.compile(
    r"(Nullable\(|LowCardinality\()*(String|Bool|U?Int(8|16|32|64)|Float(32|64)|Date(32)?|DateTime(64)?"
    r"(\(.*\))?|Enum.*)\)*"
)


def check_columns(panel: dict[str, Any], answer: QueryResult) -> None:
    """The columns of an answer are those that the panel's type draws."""
    names, types = answer.column_names, [t.name for t in answer.column_types]
    kind = panel["type"]
    if kind in ("timeseries", "candlestick", "state-timeline", "mark"):
        assert names[0] == "time"
        assert types[0].startswith("DateTime")
    if kind == "candlestick":
        assert set(names) >= {"open", "high", "low", "close"}
    if kind == "mark":
        assert "text" in names
    if kind == "barchart":  # it names its bars by words or times, never by numbers
        assert re.fullmatch(r"(Nullable\(|LowCardinality\()*String\)*|DateTime.*", types[0])
    if kind in ("timeseries", "stat", "barchart"):
        assert any(t.startswith(("Nullable(Float", "Float", "UInt", "Int")) for t in types)
    # The plugin passes these on as what they are; a Decimal or a state arrives as JSON.
    assert [(n, k) for n, k in zip(names, types, strict=True) if not _DRAWN.fullmatch(k)] == []
    if names[0] == "time":
        times = [row[0] for row in answer.result_rows]
        assert times in (sorted(times), sorted(times, reverse=True))


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
