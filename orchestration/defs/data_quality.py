"""Data checks per trading day; those that block hold back the marts of the same run.

Every rule of every suite is an asset check of its own, so that a page shows which failed; what a
check found on which feed stands in its metadata, in `check_result` and in Data Docs.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client
from pydantic import Field

from charts import run_page
from core.clock import SystemClock
from orchestration import sites
from orchestration.alerts import box
from orchestration.defs.streams import TABLES, key_of
from orchestration.partitions import TRADING_DAYS, days_of
from orchestration.resources import Tickhouse
from orchestration.tables import table
from quality.bars import wrong_bars
from quality.check_result import CheckResult
from quality.suites.catalog import Named, rules
from quality.trading_day import bounds
from reports import holidays

RULES = rules()
PRESENT = "rows_present"
_TICKS = """
SELECT concat(source, ' ', symbol) AS feed, toStartOfFifteenMinutes(ts_event) AS at, count(),
    toFloat64(median(toFloat64(ask - bid)))
FROM tick FINAL WHERE ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
GROUP BY feed, at ORDER BY feed, at
"""


class ChecksConfig(dg.Config):
    """Which feeds; a backfill of one symbol over many days is one run."""

    symbols: list[str] = Field(default_factory=list)  # empty: all


def _specs() -> list[dg.AssetCheckSpec]:
    present = dg.AssetCheckSpec(
        PRESENT, asset="data_checks", description="A weekday's trading day has ticks."
    )
    return [present] + [
        dg.AssetCheckSpec(
            rule.name, asset="data_checks", blocking=rule.blocking, description=rule.description
        )
        for rule in RULES
    ]


@dg.asset(
    group_name="data_quality",
    partitions_def=TRADING_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=_specs(),
    deps=[key_of(streamed) for streamed in TABLES],
    kinds={"greatexpectations", "clickhouse"},
    description="What the suites found in the rows of a trading day, stored in check_result.",
)
def data_checks(
    context: dg.AssetExecutionContext, config: ChecksConfig, tickhouse: Tickhouse
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Run every suite on each day asked for."""
    from quality.runner import check_day  # Great Expectations takes seconds to load

    days = days_of(context)
    with tickhouse.connected() as client:
        settings = tickhouse.settings()
        docs = sites.folders(settings.home_path)[sites.DATA_DOCS]
        results = {
            day: check_day(client, day, SystemClock(), symbols=config.symbols, docs=docs)
            for day in days
        }
        ticks = _ticks(client, days)
    yield dg.MaterializeResult(metadata=_metadata(results, ticks))
    calendar = holidays.load(settings.home_path)
    expected = [day for day in days if day.weekday() < 5 and not holidays.closed(day, calendar)]
    missing = [day for day in expected if not results[day]]
    if missing:
        problem = (
            f"no rows on {', '.join(map(str, missing))}: the collector stood still, or a holiday"
            f" that {holidays.path_in(settings.home_path).name} does not name"
        )
        box(settings).notify("Tickhouse: a day is missing", problem, {"job": "data_checks"})
    yield dg.AssetCheckResult(
        check_name=PRESENT, passed=not missing, severity=dg.AssetCheckSeverity.WARN,
        metadata={"missing": [str(day) for day in missing]},
    )  # fmt: skip
    for rule in RULES:
        yield _check_result(rule, results)


@dg.asset(
    group_name="data_quality",
    partitions_def=TRADING_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[key_of(TABLES[0])],
    check_specs=[
        dg.AssetCheckSpec(
            "bars_equal_ticks", asset="bar_reconciliation",
            description="Every minute bar is what its ticks say, and none is missing.",
        )
    ],
    kinds={"clickhouse"},
    description="Minute bars of a trading day rebuilt from ticks and compared with those stored.",
)  # fmt: skip
def bar_reconciliation(
    context: dg.AssetExecutionContext, tickhouse: Tickhouse
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """A wrong bar fails the check and tells which."""
    compared = 0
    wrong: list[str] = []
    with tickhouse.connected() as client:
        for day in days_of(context):
            count, wrong_today = wrong_bars(client, *bounds(day))
            compared, wrong = compared + count, wrong + wrong_today
    yield dg.MaterializeResult(metadata={"dagster/row_count": compared, "wrong": len(wrong)})
    remedy = "truncate bar_1m, bar_5m and bar_1h and insert the ticks of those days again"
    yield dg.AssetCheckResult(
        passed=not wrong,
        metadata={"compared": compared, "wrong": wrong[:20], "remedy": remedy if wrong else ""},
    )
    if wrong:
        raise dg.Failure(
            f"{len(wrong)} of {compared} minute bars are not what their ticks say, "
            f"the first {wrong[0]}: {remedy}"
        )


def _check_result(rule: Named, results: dict[date, list[CheckResult]]) -> dg.AssetCheckResult:
    own = [
        (day, result)
        for day, of_day in results.items()
        for result in of_day
        if result.suite == rule.suite and result.rule == rule.rule
    ]
    failed = [(day, result) for day, result in own if result.status != "passed"]
    metadata: dict[str, Any] = {
        "subjects": len(own),
        "rows": sum(result.rows_checked for _, result in own),
    }
    if failed:
        metadata["failed"] = table(
            ("day", "subject", "rows", "broke it", "share", "examples"),
            [
                (d, f.subject, f.rows_checked, f.rows_failed, f"{f.observed:.3%}", f.detail[:300])
                for d, f in failed[:20]
            ],
        )
    severity = dg.AssetCheckSeverity.ERROR if rule.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=rule.name, passed=not failed, severity=severity, metadata=metadata,
        description=f"{len(failed)} of {len(own)} failed" if own else "no rows to check",
    )  # fmt: skip


def _ticks(client: Client, days: Sequence[date]) -> Sequence[Sequence[Any]]:
    span = {"start": bounds(days[0])[0], "end": bounds(days[-1])[1]}
    rows: Sequence[Sequence[Any]] = client.query(_TICKS, parameters=span).result_rows
    return rows


def _metadata(
    results: dict[date, list[CheckResult]], ticks: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    flat = [result for of_day in results.values() for result in of_day]
    days = list(results)
    failed = [(day, f) for day, of_day in results.items() for f in of_day if f.status != "passed"]
    metadata: dict[str, Any] = {
        "from": str(bounds(days[0])[0]),
        "to": str(bounds(days[-1])[1]),
        "checks": len(flat),
        "dagster/row_count": sum(int(row[2]) for row in ticks),
        "data docs": dg.MetadataValue.url(sites.link(sites.DATA_DOCS, f"{days[-1]}/index.html")),
    }
    if failed:
        metadata["failed"] = table(
            ("day", "suite", "check", "severity", "share", "expected"),
            [
                (day, f.suite, f.check_id, f.severity, f"{f.observed:.3%}", f.expected)
                for day, f in failed
            ],
        )
    if ticks:
        metadata["ticks"] = dg.MetadataValue.md(run_page.ticks_by_hour(ticks))
    return metadata
