"""A UTC day's own orders looked at by every scenario; what is patterns is kept as alerts.

Looking again at the same day changes nothing: an alert is named after what it is about, and keeps
the time at which it was raised first, by whichever looked first: this or `stream.py`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect, errors_translated
from core.clock import Clock
from core.settings import Settings
from reports import holidays
from surveillance.abuse import scenarios
from surveillance.abuse.scenarios import Scenario

_PATTERN = (
    "source", "symbol", "accounts", "strategies", "ts_from", "ts_to", "score", "order_ids",
    "detail",
)  # fmt: skip
ALERT = (
    "alert_id", "mode", "report_date", "scenario", "version", *_PATTERN, "due", "ts_init",
)  # fmt: skip
_SCAN = (
    "mode", "report_date", "scenario", "version", "title", "says", "basis", "parameters", "review",
    "events", "alerts", "ts_init",
)  # fmt: skip


class Scanned(NamedTuple):
    """What a look at a day brought: alerts by scenario, new or known."""

    events: int
    alerts: dict[str, int]


def scan(client: Client, home: Path, mode: str, day: date, now_us: int) -> Scanned:
    """Look at a day with all scenarios that are watched; alerts and the look itself are stored.

    Raises:
        SettingsError: the home's scenarios or holidays cannot be read.
        WarehouseError, UnavailableError: it refused, or does not answer.
    """
    watched = {name: s for name, s in scenarios.load(home).items() if s.watched}
    return scan_for(client, home, mode, day, now_us, watched)


def scan_today(settings: Settings, clock: Clock) -> Scanned:
    """Look at what the running mode ordered since midnight (UTC); the night looks again at it all.

    Raises:
        SettingsError, WarehouseError, UnavailableError: see `scan`.
    """
    now_us = clock.now_us()
    today = datetime.fromtimestamp(now_us / 1e6, UTC).date()
    client = connect(settings.clickhouse)
    try:
        return scan(client, settings.home_path, settings.run.mode, today, now_us)
    finally:
        client.close()


def scan_for(
    client: Client, home: Path, mode: str, day: date, now_us: int, watched: Mapping[str, Scenario]
) -> Scanned:
    """The same with chosen scenarios."""
    authority, now = holidays.load(home).authority, datetime.fromtimestamp(now_us / 1e6, UTC)
    span = _span(mode, day)
    with errors_translated():
        events = int(client.query(_EVENTS, parameters=span).result_rows[0][0])
        known = raised(client, mode, day)
        counts = {}
        for name, scenario in watched.items():
            patterns = _patterns(client, name, scenario, span)
            day_due = due(day, scenario.assess_days, authority)
            rows = [_alert(name, scenario, span, row, day_due, known, now) for row in patterns]
            if rows:
                client.insert("abuse_alert", rows, column_names=ALERT)
            client.insert("abuse_scan", [_scan_row(name, scenario, span, events, len(rows), now)],
                          column_names=_SCAN)  # fmt: skip
            counts[name] = len(rows)
    return Scanned(events, counts)


_EVENTS = """
SELECT count() FROM order_event FINAL
WHERE mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
"""


def _span(mode: str, day: date) -> dict[str, Any]:
    start = datetime.combine(day, time(), UTC)
    return {"mode": mode, "day": day, "start": start, "end": start + timedelta(days=1)}


def _patterns(
    client: Client, name: str, scenario: Scenario, span: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    parameters = {**span, **scenario.parameters, "scenario": name}
    result = client.query(scenarios.statement(name), parameters=parameters)
    return list(result.named_results())


def raised(client: Client, mode: str, day: date) -> dict[str, datetime]:
    """When the day's known alerts were raised first."""
    rows = client.query(
        "SELECT alert_id, min(ts_init) FROM abuse_alert"
        " WHERE mode = {mode:String} AND report_date = {day:Date} GROUP BY alert_id",
        parameters={"mode": mode, "day": day},
    ).result_rows
    return {str(alert_id): first for alert_id, first in rows}


def _alert(
    name: str, scenario: Scenario, span: Mapping[str, Any], row: Mapping[str, Any], decide_by: date,
    known: Mapping[str, datetime], now: datetime,
) -> list[Any]:  # fmt: skip
    alert_id = id_of(name, scenario.version, span["mode"], span["day"], row["case_key"])
    head = [alert_id, span["mode"], span["day"], name, scenario.version]
    return [*head, *(row[column] for column in _PATTERN), decide_by, known.get(alert_id, now)]


def id_of(name: str, version: str, mode: str, day: date, key: Sequence[str]) -> str:
    """Of a case: what it is about, and nothing that grows while the day goes on.

    Args:
        key: as `case_key` of the scenario's statement.
    """
    what = [name, version, mode, str(day), *key]
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:16]


def _scan_row(
    name: str, scenario: Scenario, span: Mapping[str, Any], events: int, alerts: int, now: datetime
) -> list[Any]:
    parameters = msgspec.json.encode(scenario.parameters).decode()
    return [
        span["mode"], span["day"], name, scenario.version, scenario.title, scenario.says,
        scenario.basis, parameters, scenario.review, events, alerts, now,
    ]  # fmt: skip


def due(day: date, working_days: int, authority: holidays.Holidays | None) -> date:
    """By when a person has decided: so many working days after a UTC day."""
    for _ in range(working_days):
        day = holidays.due(day, authority)
    return day
