"""The dbt project as assets: a run builds and tests it, for its days and those that changed.

A partitioned run rebuilds its days whatever was built before; every other day is rebuilt only when
the warehouse holds more of it, or its ticks were corrected. Days whose data checks failed stay as
they were.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from core.clock import SystemClock
from orchestration import dbt_groups, dbt_project, sites
from orchestration.dbt_results import BuiltModel, built_models
from orchestration.partitions import TRADING_DAYS, days_of
from orchestration.resources import Tickhouse
from orchestration.restatement import marts as restated
from orchestration.restatement.work import Desk
from orchestration.tables import table
from quality.check_result import blocked_days

GATE = dg.AssetKey("data_checks")
POOL = "dbt"
_RESTATED = """
SELECT trading_day, source, symbol, restated_from_ticks, ticks
FROM {db:Identifier}.fct_data_quality_daily
WHERE restated_from_ticks IS NOT NULL ORDER BY trading_day, source, symbol
"""


class MartsConfig(dg.Config):
    """Which world; empty: that of the settings, else what runs."""

    mode: str = ""
    only_these_days: bool = False  # a backfill that leaves days that changed elsewhere alone


def marts_of(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """An asset per model."""
    specs = dbt_groups.specs(manifest, GATE)

    # One run at a time: two builds of one table would replace each other's partitions.
    @dg.multi_asset(
        name="marts", specs=specs, pool=POOL, can_subset=False, partitions_def=TRADING_DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )  # fmt: skip
    def marts(
        context: dg.AssetExecutionContext, config: MartsConfig, tickhouse: Tickhouse
    ) -> Iterator[dg.MaterializeResult]:
        with tickhouse.connected() as client:
            settings = tickhouse.settings()
            variables = variables_of(context, config, settings.marts_mode, client)
            restated.build(Desk(settings, client, SystemClock(), "dagster"), variables)
            database = f"{settings.clickhouse.database}_marts" + suffix(variables["mode"])
            shared = _shared(client, database, variables)
            rows = _rows(client, database)
        models = built_models(dbt_project.target(settings))
        for spec in specs:
            name = spec.key.path[-1]
            yield dg.MaterializeResult(
                asset_key=spec.key,
                metadata={**_of_model(models.get(name), rows.get(name)), **shared},
            )

    return marts


def variables_of(
    context: dg.AssetExecutionContext, config: MartsConfig, mode: str, client: Client
) -> dict[str, str | bool]:
    """What dbt is told."""
    days = days_of(context)
    return {
        "mode": config.mode or mode,
        "from_day": str(days[0]),
        "to_day": str(days[-1]),
        "with_changed": not config.only_these_days,
        "blocked_days": ",".join(str(day) for day in blocked_days(client)),
    }


def suffix(mode: str | bool) -> str:
    """Every world but live is built into a database of its own."""
    return "" if mode == "live" else f"_{mode}"


def broken_marts(problem: str) -> dg.AssetsDefinition:
    """Stands in while dbt cannot read the project: its runs fail with dbt's words."""

    @dg.asset(
        name="marts", group_name="marts", partitions_def=TRADING_DAYS, deps=[GATE],
        kinds={"dbt"}, description=f"The dbt project does not parse: {problem[-500:]}",
    )  # fmt: skip
    def marts() -> None:
        raise dg.Failure(problem, allow_retries=False)

    return marts


def _shared(client: Client, database: str, variables: Mapping[str, str | bool]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "database": database,
        "from_day": str(variables["from_day"]),
        "to_day": str(variables["to_day"]),
        "dbt docs": dg.MetadataValue.url(sites.link(sites.DBT_DOCS)),
    }
    if variables["blocked_days"]:
        metadata["held back"] = str(variables["blocked_days"])
    restated = client.query(_RESTATED, parameters={"db": database}).result_rows
    if restated:
        metadata["restated"] = table(
            ("day", "source", "symbol", "ticks before", "ticks now"), restated
        )
    return metadata


def _of_model(built: BuiltModel | None, rows: int | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if rows is not None:
        metadata["dagster/row_count"] = rows
    if built is not None:
        metadata["dagster/execution_time"] = built.seconds
        metadata["tests"] = f"{built.passed} of {built.tests} passed"
    return metadata


def _rows(client: Client, database: str) -> dict[str, int]:
    named: Sequence[Sequence[Any]] = client.query(
        "SELECT name, total_rows FROM system.tables "
        "WHERE database = {db:String} AND total_rows IS NOT NULL",
        parameters={"db": database},
    ).result_rows
    return {str(name): int(rows) for name, rows in named}
