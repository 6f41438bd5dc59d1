"""`python -m dashboards.provisioned`: the alert rules as Grafana and Prometheus take them.

Written from the one table, committed, and held to it by a test. Grafana asks the warehouse itself;
Prometheus takes the values that `watch` measures, and misses `watch` when it is gone. Both know
the limits as shipped; `tickhouse up --grafana` gives Grafana those of the settings.
"""

import json
import sys
from pathlib import Path

from core.sections import RuleSettings
from dashboards.grafana.source import TYPE, UID
from surveillance.alert import runbook
from surveillance.rules import RULES, Rule, limit_of, statement_with

PROVISIONING = Path(__file__).parent / "provisioning"
GRAFANA = PROVISIONING / "alerting" / "rules.json"
PROMETHEUS = PROVISIONING / "prometheus" / "rules.json"  # which is YAML, too
#: Grafana's own folder of rules. The boards' folder of the same title would be a second one.
FOLDER = "Tickhouse alerts"
_SILENT_S = 60


def for_grafana(settings: RuleSettings) -> str:
    """The file of rules that Grafana provisions from."""
    group = {
        "orgId": 1,
        "name": "tickhouse",
        "folder": FOLDER,
        "interval": "30s",
        "rules": [_grafana_rule(rule, settings) for rule in RULES],
    }
    return json.dumps({"apiVersion": 1, "groups": [group]}, indent=2, ensure_ascii=False) + "\n"


def _grafana_rule(rule: Rule, settings: RuleSettings) -> dict[str, object]:
    source = {"type": TYPE, "uid": UID}
    query = {
        "datasource": source, "editorType": "sql", "format": 1, "queryType": "table",
        "rawSql": statement_with(rule, settings), "refId": "A",
    }  # fmt: skip
    above = {"type": "gt", "params": [limit_of(rule, settings)]}
    threshold = {
        "refId": "B", "type": "threshold", "expression": "A",
        "conditions": [{"evaluator": above, "type": "query"}],
    }  # fmt: skip
    span = {"from": 3600, "to": 0}
    return {
        "uid": f"tickhouse-{rule.name.replace('_', '-')}",
        "title": rule.title,
        "condition": "B",
        "for": f"{rule.hold_s}s",
        "noDataState": "OK",  # a statement without rows says that there is nothing to alert of
        "execErrState": "Alerting",  # one that gets no answer says that nobody watches
        "labels": {"severity": rule.severity, "product": "tickhouse"},
        "annotations": {
            "summary": "{{ $labels.subject }}: " + _templated(rule, "$values.A.Value"),
            "description": rule.remedy,
            "runbook_url": runbook(rule.title, settings),
        },
        "data": [
            {"refId": "A", "datasourceUid": UID, "relativeTimeRange": span, "model": query},
            {"refId": "B", "datasourceUid": "__expr__", "model": threshold},
        ],
    }


def for_prometheus(settings: RuleSettings) -> str:
    """A file of rules for Prometheus; the limits are those that `watch` says it has."""
    rules = [_prometheus_rule(rule, settings) for rule in RULES]
    rules.append(
        {
            "alert": "WatchSilent",
            "expr": 'absent(tickhouse_rule_limit) or up{process="watch"} == 0',
            "for": f"{_SILENT_S}s",
            "labels": {"severity": "critical", "product": "tickhouse"},
            "annotations": {
                "summary": "no alert rule is evaluated: watch does not answer",
                "description": "tickhouse status: does watch run?",
                "runbook_url": runbook("Process down", settings),
            },
        }
    )
    groups = {"groups": [{"name": "tickhouse", "interval": "15s", "rules": rules}]}
    return json.dumps(groups, indent=2, ensure_ascii=False) + "\n"


def _prometheus_rule(rule: Rule, settings: RuleSettings) -> dict[str, object]:
    value, limit = (f'tickhouse_rule_{kind}{{rule="{rule.name}"}}' for kind in ("value", "limit"))
    return {
        "alert": "".join(word.capitalize() for word in rule.name.split("_")),
        "expr": f"{value} > on(instance, rule) group_left() {limit}",
        "for": f"{rule.hold_s}s",
        "labels": {"severity": rule.severity, "product": "tickhouse"},
        "annotations": {
            "summary": "{{ $labels.subject }}: " + _templated(rule, "$value"),
            "description": rule.remedy,
            "runbook_url": runbook(rule.title, settings),
        },
    }


def _templated(rule: Rule, value: str) -> str:
    """What the rule says, with the template of Grafana or Prometheus in the value's place."""
    before, brace, rest = rule.says.partition("{")
    form, _, after = rest.partition("}")
    shape = "humanizePercentage" if form.endswith("%") else "humanize"
    return f"{before}{{{{ {value} | {shape} }}}}{after}" if brace else before


def files() -> dict[Path, str]:
    """What is committed, by path."""
    shipped = RuleSettings()
    return {GRAFANA: for_grafana(shipped), PROMETHEUS: for_prometheus(shipped)}


def main() -> int:
    """Write all; say which changed."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"{path.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
