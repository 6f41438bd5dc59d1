"""Alert rules as code, in the form Grafana provisions from files.

Each asks one number of the live run once a minute, fires above a limit that has held for a while,
and leads to its page of the runbook. No data is no alert: a feed that never spoke has its own.
"""

from typing import NamedTuple

from dashboards.grafana.clickhouse import UID, ClickhouseQuery, Format, sql

RUNBOOK = "docs/how-to/runbooks.md"


class Alert(NamedTuple):
    """One rule. `name` is its SQL's and its runbook's; it fires above `limit` held for `hold`."""

    name: str
    title: str
    summary: str
    limit: float
    hold: str
    severity: str


ALERTS = (
    Alert("feed_stale", "Feed stale", "No tick for {{ $values.A }} s", 60, "1m", "critical"),
    Alert("process_down", "Process down", "Silent for {{ $values.A }} s", 60, "1m", "critical"),
    Alert(
        "latency",
        "Latency over budget",
        "Signal to order p99 {{ $values.A }} ms",
        15,
        "5m",
        "warning",
    ),
    Alert("rejects", "Broker rejects", "{{ $values.A }} of orders refused", 0.2, "2m", "warning"),
    Alert(
        "unknown_order", "Order of unknown outcome", "{{ $values.A }} orders", 0, "1m", "critical"
    ),
    Alert("drawdown", "Drawdown", "{{ $values.A }} below the day's peak", 0.05, "1m", "critical"),
    Alert("drift", "Model drift", "{{ $values.A }} columns drifted", 4, "1m", "warning"),
    Alert("failed_audit", "Failed audit", "{{ $values.A }} breaks found", 0, "0s", "critical"),
    Alert("report_late", "Report late", "{{ $values.A }} reports missing", 0, "5m", "warning"),
    Alert("failed_check", "Failed check", "{{ $values.A }} checks do not pass", 0, "1m", "warning"),
    Alert(
        "disk", "Disk nearly full", "{{ $values.A }} of the disk is used", 0.92, "5m", "critical"
    ),
)


def provisioned() -> dict[str, object]:
    """The rule file."""
    group = {
        "orgId": 1,
        "name": "tickhouse",
        "folder": "Tickhouse",
        "interval": "1m",
        "rules": [_rule(alert) for alert in ALERTS],
    }
    return {"apiVersion": 1, "groups": [group]}


def _rule(alert: Alert) -> dict[str, object]:
    query = ClickhouseQuery(sql(f"alerts/{alert.name}"), Format.TABLE).to_json()
    return {
        "uid": f"tickhouse-{alert.name.replace('_', '-')}",
        "title": alert.title,
        "condition": "B",
        "for": alert.hold,
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": alert.severity, "product": "tickhouse"},
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{RUNBOOK}#{alert.title.lower().replace(' ', '-')}",
        },
        "data": [
            {
                "refId": "A",
                "datasourceUid": UID,
                "relativeTimeRange": {"from": 3600, "to": 0},
                "model": query,
            },
            {"refId": "B", "datasourceUid": "__expr__", "model": _above(alert.limit)},
        ],
    }


def _above(limit: float) -> dict[str, object]:
    evaluator = {"type": "gt", "params": [limit]}
    return {
        "refId": "B",
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": evaluator, "type": "query"}],
    }
