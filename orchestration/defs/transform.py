"""The dbt project as assets: one run builds and tests it, only days that changed."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import build_dbt_asset_specs

from orchestration import dbt_project
from orchestration.resources import Tickhouse


class MartsConfig(dg.Config):
    """Which world, and for a backfill which trading days (both or none)."""

    mode: str = "live"
    from_day: str = ""
    to_day: str = ""


def marts_of(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """An asset per model."""
    specs = [
        spec.replace_attributes(group_name="marts", kinds={"dbt", "clickhouse"})
        for spec in build_dbt_asset_specs(manifest=manifest)
    ]

    # One run at a time: two builds of one table would replace each other's partitions.
    @dg.multi_asset(name="marts", specs=specs, pool="dbt", can_subset=False)
    def marts(config: MartsConfig, tickhouse: Tickhouse) -> Iterator[dg.MaterializeResult]:
        settings = tickhouse.settings()
        told = dbt_project.run(settings, "build", config.model_dump())
        world = "" if config.mode == "live" else f"_{config.mode}"
        database = f"{settings.clickhouse.database}_marts{world}"
        rows = _rows(tickhouse, database)
        for spec in specs:
            metadata = {
                "database": database,
                "dbt": dg.MetadataValue.md(f"```\n{told[-800:]}\n```"),
            }
            name = spec.key.path[-1]
            if name in rows:
                metadata["dagster/row_count"] = rows[name]
            yield dg.MaterializeResult(asset_key=spec.key, metadata=metadata)

    return marts


def _rows(tickhouse: Tickhouse, database: str) -> dict[str, int]:
    client = tickhouse.client()
    try:
        found = client.query(
            "SELECT name, total_rows FROM system.tables "
            "WHERE database = {db:String} AND total_rows IS NOT NULL",
            parameters={"db": database},
        ).result_rows
    finally:
        client.close()
    return {str(name): int(rows) for name, rows in found}
