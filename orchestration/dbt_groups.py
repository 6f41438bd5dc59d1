"""How the dbt project looks in Dagster: groups by layer and domain, its own descriptions.

Keys, code versions and columns are those that the library dagster-dbt gives (a test compares all),
so a home's history stays. It is not loaded here: it keeps dbt, a parser of SQL and the whole
manifest in the code server for as long as that runs, 60 MiB of them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from orchestration import freshness

#: Layers whose folders are domains: a group each.
_BY_DOMAIN = {"staging", "marts"}

_Node = Mapping[str, Any]  # a model or source of the manifest


def specs(manifest: Mapping[str, Any], after: dg.AssetKey) -> list[dg.AssetSpec]:
    """An asset per model, each after those it reads; sources are read after `after`."""
    known = {**manifest["nodes"], **manifest["sources"]}
    models = [node for node in known.values() if node["resource_type"] == "model"]
    by_key = {spec.key: spec for spec in (_spec(node, known, after) for node in models)}
    reads = {spec.key: [dep.asset_key for dep in spec.deps] for spec in by_key.values()}
    return [by_key[key] for key in TopologicalSorter(reads).static_order() if key in by_key]


def _spec(node: _Node, known: Mapping[str, _Node], after: dg.AssetKey) -> dg.AssetSpec:
    group = _group(node)
    reads = [_key(known[one]) for one in node["depends_on"]["nodes"]]
    if group.startswith("staging"):
        reads.append(after)
    return dg.AssetSpec(
        _key(node),
        deps=dict.fromkeys(reads),
        description=node["description"] or None,
        metadata=dict(_metadata(node)),
        skippable=True,
        group_name=group or None,
        code_version=hashlib.sha1(node["raw_code"].encode(), usedforsecurity=False).hexdigest(),
        tags=dict.fromkeys(node["tags"], ""),
        kinds={"dbt", "clickhouse"},
        freshness_policy=freshness.MARTS if group.startswith("marts") else None,
    )


def _key(node: _Node) -> dg.AssetKey:
    if node["resource_type"] == "source":
        return dg.AssetKey([node["source_name"], node["name"]])
    return dg.AssetKey([node["name"]])


def _group(node: _Node) -> str:
    """A model's folder: `staging_market`, `intermediate`, `marts_trading`."""
    folders = node["fqn"][1:-1]
    return "_".join(folders if folders[:1] and folders[0] in _BY_DOMAIN else folders[:1])


def _metadata(node: _Node) -> Iterator[tuple[str, Any]]:
    """What the page of an asset shows beside its description."""
    yield "dagster-dbt/materialization_type", node["config"]["materialized"]
    yield "dagster/table_name", f"{node['schema']}.{node['alias']}"
    yield "dagster/storage_kind", "clickhouse"
    if columns := node["columns"]:
        yield "dagster/column_schema", dg.TableSchema([_column(one) for one in columns.values()])


def _column(column: Mapping[str, Any]) -> dg.TableColumn:
    return dg.TableColumn(
        column["name"], column["data_type"] or "?", column["description"],
        tags=dict.fromkeys(column["tags"], ""),
    )  # fmt: skip
