"""Stress scenarios over what is held, every night before the trading day ends."""

import dagster as dg

from core import settings as product
from core.clock import SystemClock
from core.home_users import SETUP
from orchestration.resources import Tickhouse
from reports import stress_now
from risk import stress

TARGET = 0.1  # share of equity that reverse stress loses


@dg.asset(
    group_name="risk",
    description="What named scenarios would do to what is held now: table stress_result.",
)
def stress_results(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """The same as `tickhouse stress`, of live trading."""
    settings, clock = tickhouse.settings(), SystemClock()
    with tickhouse.connected(SETUP) as client:
        run_id = settings.run.run_id
        at_us = stress_now.newest_us(client, run_id)
        scenarios = stress.available(settings.home_path)
        done = stress_now.stressed(
            client, run_id, at_us, scenarios, settings.risk, TARGET, clock.now_us()
        )
        stress_now.store(client, done.results)
    worst = min(done.results, key=lambda r: r.profit, default=None)
    return dg.MaterializeResult(
        metadata={
            "scenarios": len(scenarios), "results": len(done.results),
            "worst": f"{worst.scenario}: {worst.profit:,.2f}" if worst else "nothing is held",
        }
    )  # fmt: skip


stress_job = dg.define_asset_job("stress_job", dg.AssetSelection.assets(stress_results))


@dg.schedule(
    job=stress_job, cron_schedule="45 16 * * 1-5", execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)  # fmt: skip
def stress_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A quarter of an hour before the trading day ends, and before what is held may be closed."""
    if not product.load().risk.enabled:
        return dg.SkipReason("TICKHOUSE_RISK__ENABLED is off")
    return dg.RunRequest(run_key=context.scheduled_execution_time.strftime("%Y-%m-%d"))
