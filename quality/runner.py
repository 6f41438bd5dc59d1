"""Runs the suites on a trading day and stores what they found in `check_result`.

Rows are fetched per subject and checked as a DataFrame in an ephemeral context: Great Expectations
never talks to the warehouse and tells nobody. What it keeps is Data Docs, when a folder is given.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import great_expectations as gx
import great_expectations.expectations as gxe
import msgspec
import pandas as pd
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.clock import Clock
from core.instruments import trading_day
from quality import data_docs
from quality.check_result import CheckResult, store
from quality.suites import catalog
from quality.suites.base import Rule, Subject, Suite
from quality.trading_day import bounds

SUITES = catalog.SUITES


class Fetched(NamedTuple):
    """A subject's rows of a day."""

    suite: Suite
    subject: Subject
    frame: pd.DataFrame


def check_day(
    client: Client,
    day: date,
    clock: Clock,
    suites: Sequence[Suite] = SUITES,
    symbols: Sequence[str] = (),
    docs: Path | None = None,
) -> list[CheckResult]:
    """Check every subject that has rows on the day, and store the results; safe to repeat.

    Args:
        client: of the warehouse.
        day: the trading day; one that still goes is checked up to now.
        clock: when it is now.
        suites: all, unless named.
        symbols: only these feeds, and what belongs to whole runs; empty: all.
        docs: folder of Data Docs; the day's pages are written anew there.

    Raises:
        WarehouseError, UnavailableError: the warehouse refused, or does not answer.
    """
    start, close = bounds(day)
    end = max(start, min(close, datetime.fromtimestamp(clock.now_us() / 1e6, UTC)))
    gx_context = context()
    if docs is not None:
        data_docs.prepare(gx_context, docs, day)
    with errors_translated():
        results = [
            result
            for fetched in _rows(client, suites, symbols, start, end)
            for result in validate(gx_context, fetched, close, clock.now_us())
        ]
        store(client, results)
    if docs is not None:
        data_docs.write(gx_context, docs)
    return results


def context() -> Any:
    """An ephemeral context that tells nobody."""
    ephemeral = gx.get_context(mode="ephemeral")
    ephemeral.enable_analytics(enable=False)
    ephemeral.variables.progress_bars = {"globally": False}
    return ephemeral


def latest_day(client: Client) -> date | None:
    """The trading day of the newest tick; None without ticks."""
    with errors_translated():
        newest = client.query("SELECT toUnixTimestamp64Micro(max(ts_event)) FROM tick").result_rows[
            0
        ][0]
    return trading_day(int(newest)) if newest else None


def validate(gx_context: Any, fetched: Fetched, end: datetime, now_us: int) -> list[CheckResult]:
    """What each rule of a suite finds in a frame."""
    suite, subject, frame = fetched
    name = f"{suite.name}.{subject.name}"
    expectations = [
        getattr(gxe, rule.expectation)(
            **rule.arguments,
            meta={"rule": rule.name},
            notes=f"{rule.name} ({rule.severity}): {rule.expected}",
        )
        for rule in suite.rules
    ]
    asset = gx_context.data_sources.add_pandas(name).add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_dataframe("day"),
        suite=gx_context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations)),
    )
    shape = {"result_format": "SUMMARY", "partial_unexpected_count": 5}
    if suite.label:
        frame = frame.set_index(suite.label, drop=False)
    validation = gx_context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format=shape
    )
    # Great Expectations gives results in an order of its own.
    by_rule = {result.expectation_config.meta["rule"]: result for result in validation.results}
    return [_result(fetched, rule, by_rule[rule.name], end, now_us) for rule in suite.rules]


def _rows(
    client: Client, suites: Sequence[Suite], symbols: Sequence[str], start: datetime, end: datetime
) -> Iterable[Fetched]:
    for suite in suites:
        for subject in suite.subjects(client, start, end):
            if symbols and subject.symbol and subject.symbol not in symbols:
                continue
            frame = suite.rows(client, subject, start, end)
            if not frame.empty:
                yield Fetched(suite, subject, frame)


def _result(fetched: Fetched, rule: Rule, outcome: Any, end: datetime, now_us: int) -> CheckResult:
    suite, subject, _ = fetched
    counts = outcome.result or {}
    raised = outcome.exception_info or {}
    parts = [part for part in (raised, *raised.values()) if isinstance(part, dict)]
    wrong = any(part.get("raised_exception") for part in parts)
    checked, failed = int(counts.get("element_count", 0)), int(counts.get("unexpected_count", 0))
    detail = {"subject": subject.name, "examples": _examples(counts, fetched)}
    return CheckResult(
        check_id=f"{subject.name}.{rule.name}",
        suite=suite.name,
        table_name=suite.table,
        run_id=subject.run_id,
        ts_event_us=round(end.timestamp() * 1e6),
        ts_init_us=now_us,
        status="error" if wrong else "passed" if outcome.success else "failed",
        severity=rule.severity,
        observed=failed / checked if checked else 0.0,
        expected=rule.expected,
        rows_checked=checked,
        rows_failed=failed,
        detail=msgspec.json.encode(detail).decode(),
    )


def _examples(counts: dict[str, Any], fetched: Fetched) -> list[str]:
    """The first rows that broke the rule, by their label, with the value."""
    values = counts.get("partial_unexpected_list", [])[:5]
    labels = counts.get("partial_unexpected_index_list") or []
    label = fetched.suite.label
    named = [
        str(labelled[label] if isinstance(labelled, dict) else labelled) for labelled in labels[:5]
    ]
    return [
        f"{named[i]}: {value}" if i < len(named) else str(value) for i, value in enumerate(values)
    ]
