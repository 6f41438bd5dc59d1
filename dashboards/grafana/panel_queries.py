"""A board's statements as its own page would have Grafana run them: variables chosen, macros left.

Grafana fills in variables in the browser and the ClickHouse plugin its macros in the server, so a
query through the HTTP API wants the first done, and the second not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.grafana.macros import ALL, fill
from dashboards.grafana.source import TYPE, UID

Ask = Callable[[str], Sequence[Sequence[Any]]]  # a statement's rows
_POINTS = 1_000


class PanelQuery(NamedTuple):
    """What a panel, or a mark, asks; `sql` with its variables chosen."""

    title: str
    target: Mapping[str, Any]
    sql: str


def queries(board: Mapping[str, Any], ask: Ask) -> list[PanelQuery]:
    """Every panel's and mark's; the board's variables are asked for first, as its page does."""
    chosen = _chosen(board, ask)
    targets = [(panel["title"], one) for panel in board["panels"] for one in panel["targets"]]
    targets += [(mark["name"], mark["target"]) for mark in board["annotations"]["list"]]
    return [PanelQuery(title, one, fill(one["rawSql"], chosen)) for title, one in targets]


def body(query: Mapping[str, Any], sql: str, span_ms: tuple[int, int]) -> dict[str, Any]:
    """What the API takes to run one statement over a span."""
    start, end = span_ms
    wanted = {
        **query, "rawSql": sql, "refId": "A", "datasource": {"type": TYPE, "uid": UID},
        "intervalMs": max((end - start) // _POINTS, 1_000), "maxDataPoints": _POINTS,
    }  # fmt: skip
    return {"queries": [wanted], "from": str(start), "to": str(end)}


def _chosen(board: Mapping[str, Any], ask: Ask) -> dict[str, str]:
    """The first value of each variable, or all of them where all are the default."""
    chosen = dict[str, str]()
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            chosen[variable["name"]] = ""
        elif variable.get("includeAll"):
            chosen[variable["name"]] = ALL
        else:
            rows = ask(fill(variable["query"]["rawSql"], chosen))
            chosen[variable["name"]] = str(rows[0][0]) if rows else ""
    return chosen
