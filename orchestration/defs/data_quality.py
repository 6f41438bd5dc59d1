"""Data checks per trading day, and a check that blocks what depends on a day that failed."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from core.clock import SystemClock
from orchestration.partitions import TRADING_DAYS
from orchestration.resources import Tickhouse
from quality.bars import wrong_bars
from quality.runner import check_day


@dg.asset(
    group_name="data_quality",
    partitions_def=TRADING_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("no_blocking_failure", asset="data_checks", blocking=True)],
    description="Results of the suites of one trading day, stored in check_result.",
)
def data_checks(
    context: dg.AssetExecutionContext, tickhouse: Tickhouse
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Run every suite on each day asked for."""
    client = tickhouse.client()
    try:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        results = [found for day in days for found in check_day(client, day, SystemClock())]
    finally:
        client.close()
    blocking = [found.check_id for found in results if found.blocks]
    yield dg.MaterializeResult(
        metadata={
            "checks": len(results),
            "rows": sum(found.rows_checked for found in results),
            "failed": [found.check_id for found in results if found.status != "passed"],
        }
    )
    yield dg.AssetCheckResult(passed=not blocking, metadata={"blocking": blocking})


@dg.asset(group_name="data_quality", description="Minute bars rebuilt from ticks and compared.")
def bar_reconciliation(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Fails when a stored bar is not what its ticks say."""
    client = tickhouse.client()
    try:
        compared, wrong = wrong_bars(client)
    finally:
        client.close()
    if wrong:
        raise dg.Failure(
            f"{len(wrong)} minute bars are not what their ticks say, the first {wrong[0]}: "
            "truncate bar_1m, bar_5m and bar_1h and insert the ticks of those days again"
        )
    return dg.MaterializeResult(metadata={"dagster/row_count": compared})
