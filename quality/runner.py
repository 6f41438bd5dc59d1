"""Runs the suites on a trading day and stores what they found in `check_result`.

Rows are fetched per subject and checked as a DataFrame in an ephemeral context: Great Expectations
never talks to the warehouse, keeps no files and tells nobody.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import great_expectations as gx
import msgspec
import pandas as pd
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.clock import Clock
from core.instruments import trading_day
from quality.suites.base import Rule, Subject, Suite
from quality.suites.order_event import ORDERS
from quality.suites.prediction import PREDICTIONS
from quality.suites.tick import TICKS
from quality.trading_day import bounds

SUITES = (TICKS, PREDICTIONS, ORDERS)


class CheckResult(msgspec.Struct, frozen=True):
    """One row of `check_result`; times in microseconds, UTC."""

    check_id: str
    suite: str
    table_name: str
    run_id: str
    ts_event_us: int
    ts_init_us: int
    status: str  # passed, failed or error
    severity: str  # error blocks, warning does not
    observed: float  # share of rows that broke it
    expected: str
    rows_checked: int
    rows_failed: int
    detail: str

    @property
    def blocks(self) -> bool:
        """Whether what depends on the rows must wait."""
        return self.status != "passed" and self.severity == "error"


def check_day(
    client: Client, day: date, clock: Clock, suites: Sequence[Suite] = SUITES
) -> list[CheckResult]:
    """Check every subject that has rows on the day, and store the results; safe to repeat.

    Raises:
        WarehouseError, UnavailableError: the warehouse refused, or does not answer.
    """
    start, end = bounds(day)
    results = []
    with errors_translated():
        for suite in suites:
            for subject in suite.subjects(client, start, end):
                frame = suite.rows(client, subject, start, end)
                if not frame.empty:
                    results += validate(suite, subject, frame, end, clock.now_us())
        store(client, results)
    return results


def latest_day(client: Client) -> date | None:
    """The trading day of the newest tick; None without ticks."""
    with errors_translated():
        newest = client.query("SELECT toUnixTimestamp64Micro(max(ts_event)) FROM tick").result_rows[
            0
        ][0]
    return trading_day(int(newest)) if newest else None


def validate(
    suite: Suite, subject: Subject, frame: pd.DataFrame, end: datetime, now_us: int
) -> list[CheckResult]:
    """What each rule of a suite finds in a frame."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(suite.table).add_dataframe_asset(subject.name)
    batch = asset.add_batch_definition_whole_dataframe("day").get_batch({"dataframe": frame})
    return [
        _result(suite, rule, subject, batch.validate(rule.expectation), end, now_us)
        for rule in suite.rules
    ]


def store(client: Client, results: Sequence[CheckResult]) -> None:
    """Write them; the same check of the same day replaces itself."""
    if not results:
        return
    names = [name.removesuffix("_us") for name in CheckResult.__struct_fields__]
    client.insert(
        "check_result",
        [
            [
                datetime.fromtimestamp(value / 1e6, UTC) if name.endswith("_us") else value
                for name, value in msgspec.structs.asdict(result).items()
            ]
            for result in results
        ],
        column_names=names,
    )


def _result(
    suite: Suite, rule: Rule, subject: Subject, found: Any, end: datetime, now_us: int
) -> CheckResult:
    told = found.result or {}
    raised = found.exception_info or {}
    parts = [part for part in (raised, *raised.values()) if isinstance(part, dict)]
    wrong = any(part.get("raised_exception") for part in parts)
    checked, failed = int(told.get("element_count", 0)), int(told.get("unexpected_count", 0))
    examples = [str(value) for value in told.get("partial_unexpected_list", [])[:5]]
    status = "error" if wrong else "passed" if found.success else "failed"
    return CheckResult(
        check_id=f"{subject.name}.{rule.name}",
        suite=suite.table,
        table_name=suite.table,
        run_id=subject.run_id,
        ts_event_us=round(end.timestamp() * 1e6),
        ts_init_us=now_us,
        status=status,
        severity=rule.severity,
        observed=failed / checked if checked else 0.0,
        expected=rule.expected,
        rows_checked=checked,
        rows_failed=failed,
        detail=msgspec.json.encode({"subject": subject.name, "examples": examples}).decode(),
    )
