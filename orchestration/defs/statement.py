"""The broker's statement of a UTC day, taken from the terminal a few minutes after its end.

Deals of the day are complete then; positions and balance are those of the moment, and ours are
compared as of the same moment.
"""

from datetime import date, timedelta

import dagster as dg

from adapters.mt5 import connect
from audit.clients.accounts import clients_of_accounts
from core import settings as product
from core.clock import SystemClock
from orchestration import freshness
from orchestration.partitions import DAYS
from orchestration.resources import Tickhouse, plain_failures
from reports import client_money as money
from reports import statement, statement_changes, statement_effects

_NONE = (
    "no terminal runs here, so nobody can be asked for a statement: start it with `tickhouse up`,"
    " or set TICKHOUSE_TERMINAL__KIND to the terminal you trade with"
)


@dg.asset(
    group_name="reports",
    partitions_def=DAYS,
    freshness_policy=freshness.NIGHTLY,
    description="What the broker says of a day: deals, positions, balance, commission, swap.",
)
def broker_statement(
    context: dg.AssetExecutionContext, tickhouse: Tickhouse
) -> dg.MaterializeResult:
    """Asks the terminal that the settings name; broker-reconciliation reads the last statement."""
    with plain_failures():
        settings, now = tickhouse.settings(), SystemClock().now_us()
        terminal = connect.terminal(settings.terminal, settings.home_path, role="reader")
        try:
            day = date.fromisoformat(context.partition_key)
            taken = statement.take(terminal, settings.run, day, now, now)
        finally:
            terminal.shutdown()
        changes = statement_changes.file(settings, taken, "dagster")
        effects = statement_effects.of(settings, taken, changes)
    counts = {
        "deals": len(taken.deals), "positions": len(taken.positions), "corrected": len(changes)
    }  # fmt: skip
    words = {"balance": taken.funds.balance, "changes": "\n".join(map(str, effects))}
    return dg.MaterializeResult(metadata=counts | dict(statement_effects.counted(effects)) | words)


@dg.asset(
    group_name="reports",
    partitions_def=DAYS,
    freshness_policy=freshness.NIGHTLY,
    deps=[broker_statement],
    description="What our books say is each account's, against the broker's statement of a day.",
    check_specs=[dg.AssetCheckSpec("client_money_agrees", asset="client_money")],
)
def client_money(context: dg.AssetExecutionContext, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """A row for each amount, also when all agree, and one where there is no statement."""
    settings, clock = tickhouse.settings(), SystemClock()
    day = date.fromisoformat(context.partition_key)
    with plain_failures(), tickhouse.connected() as client:
        clients = clients_of_accounts(settings, clock)
        rows = money.take(client, settings.marts_mode, day, clients, clock.now_us())
    differing = money.breaks(rows)
    words = [f"{r.account} {r.item}: {r.status} ({r.difference:+.2f})" for r in differing]
    agrees = dg.AssetCheckResult(
        passed=not any(r.severity == "error" for r in differing),
        check_name="client_money_agrees", metadata={"breaks": "\n".join(words)},
    )  # fmt: skip
    return dg.MaterializeResult(
        metadata={"rows": len(rows), "breaks": len(differing)}, check_results=[agrees]
    )


client_money_job = dg.define_asset_job("client_money_job", dg.AssetSelection.assets(client_money))
statement_job = dg.define_asset_job("statement_job", dg.AssetSelection.assets(broker_statement))


@dg.schedule(
    job=statement_job, cron_schedule="5 0 * * *", execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)  # fmt: skip
def statement_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The day that is over, when there is a terminal to ask."""
    terminal = product.load().terminal
    if terminal.kind == "simulated" and not terminal.address:
        return dg.SkipReason(_NONE)
    day = (context.scheduled_execution_time - timedelta(days=1)).strftime("%Y-%m-%d")
    return dg.RunRequest(run_key=day, partition_key=day)
