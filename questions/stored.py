"""The names that a home holds: what a question may be about."""

from collections.abc import Callable, Sequence
from typing import Any

from questions.named import Names
from questions.sql import Place

Query = Callable[[str], Sequence[dict[str, Any]]]
_EVERY = {
    # Hourly bars are few, and there with the first tick; the mart also knows what has none yet.
    "symbols": "SELECT symbol AS name FROM {marts}.dim_symbol"
    " UNION DISTINCT SELECT symbol AS name FROM {db}.bar_1h",
    "strategies": "SELECT DISTINCT strategy AS name FROM {marts}.fct_order WHERE strategy != ''",
    "sources": "SELECT source AS name FROM {marts}.dim_symbol"
    " UNION DISTINCT SELECT source AS name FROM {db}.bar_1h",
    "rules": "SELECT DISTINCT refusal AS name FROM {marts}.fct_order WHERE status = 'denied'",
    "stages": "SELECT DISTINCT stage AS name FROM {db}.stage_latency WHERE mode = '{mode}'",
    "scenarios": "SELECT DISTINCT scenario AS name FROM {marts}.fct_stress",
    "controls": "SELECT DISTINCT control AS name FROM {db}.control_alert WHERE mode = '{mode}'",
    "firm_rules": "SELECT DISTINCT rule AS name FROM {db}.firm_rule_state WHERE mode = '{mode}'",
    "processes": "SELECT DISTINCT process AS name FROM {db}.process_state WHERE mode = '{mode}'",
    "people": "SELECT DISTINCT actor AS name FROM {db}.audit_event WHERE actor != ''",
    "actions": "SELECT DISTINCT action AS name FROM {db}.audit_event WHERE action != ''",
    "flaws": "SELECT DISTINCT reason AS name FROM {db}.tick_quarantine WHERE mode = '{mode}'",
}


def names(query: Query, place: Place) -> Names:
    """What is stored in a mode, sorted."""
    columns = {
        column: tuple(sorted(str(row["name"]) for row in query(_at(statement, place))))
        for column, statement in _EVERY.items()
    }
    return Names(severities=("error", "warning"), **columns)


def _at(statement: str, place: Place) -> str:
    for name, value in place._asdict().items():
        statement = statement.replace("{" + name + "}", value)
    return statement
