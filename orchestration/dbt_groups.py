"""How the dbt project looks in Dagster: groups by layer and domain, its own descriptions."""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from orchestration import freshness

#: Layers whose folders are domains: a group each.
_BY_DOMAIN = {"staging", "marts"}


class Translator(DagsterDbtTranslator):
    """A model's folder is its group."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """`staging_market`, `intermediate`, `marts_trading`."""
        folders = dbt_resource_props["fqn"][1:-1]
        if not folders:
            return None
        return "_".join(folders) if folders[0] in _BY_DOMAIN else str(folders[0])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the project says of it; the SQL is on the dbt site."""
        return str(dbt_resource_props.get("description") or "")


def specs(manifest: Mapping[str, Any], after: dg.AssetKey) -> list[dg.AssetSpec]:
    """An asset per model, each after those it reads; sources are read after `after`."""
    ordered = []
    for spec in build_dbt_asset_specs(manifest=manifest, dagster_dbt_translator=Translator()):
        gated = spec.merge_attributes(deps=[after]) if _is_staging(spec) else spec
        late = freshness.MARTS if (spec.group_name or "").startswith("marts") else None
        ordered.append(
            gated.replace_attributes(kinds={"dbt", "clickhouse"}, owners=[], freshness_policy=late)
        )
    by_key = {spec.key: spec for spec in ordered}
    reads = {spec.key: [dep.asset_key for dep in spec.deps] for spec in ordered}
    return [by_key[key] for key in TopologicalSorter(reads).static_order() if key in by_key]


def _is_staging(spec: dg.AssetSpec) -> bool:
    return (spec.group_name or "").startswith("staging")
