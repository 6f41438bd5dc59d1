"""What dbt is told of a cluster by the one setting, and that it is told nothing without it."""

from typing import Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

from core.shipped import shipped

_NAME = "TICKHOUSE_CLICKHOUSE__CLUSTER"


def worked_out_file(file: str, cluster: str) -> Any:
    """A file of the project with its expressions worked out, as dbt does it."""
    environment = NativeEnvironment()
    environment.filters |= {"as_native": lambda value: value, "as_number": int, "as_bool": bool}
    settings = {_NAME: cluster} if cluster else {}
    environment.globals["env_var"] = lambda name, default=None: settings.get(name, default)

    def worked_out(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: worked_out(value) for key, value in node.items()}
        return environment.from_string(node).render() if isinstance(node, str) else node

    return worked_out(yaml.safe_load((shipped("dbt") / file).read_text()))


def test_without_a_cluster_marts_are_what_they_were() -> None:
    marts = worked_out_file("dbt_project.yml", "")["models"]["tickhouse"]["marts"]
    profile = worked_out_file("profiles.yml", "")["tickhouse"]["outputs"]["embedded"]
    assert marts["+engine"] == "MergeTree()"
    assert (profile["cluster"] or "", profile["custom_settings"]) == ("", {})


@pytest.mark.parametrize("target", ["embedded", "distributed"])
def test_on_a_cluster_marts_are_whole_on_every_server(target: str) -> None:
    marts = worked_out_file("dbt_project.yml", "firm")["models"]["tickhouse"]["marts"]
    profile = worked_out_file("profiles.yml", "firm")["tickhouse"]["outputs"][target]
    path, replica = "/tickhouse/firm/marts/{uuid}", "{shard}-{replica}"
    assert marts["+engine"] == f"ReplicatedMergeTree('{path}', '{replica}')"
    assert profile["cluster"] == "firm"
    assert profile["custom_settings"]["insert_quorum"] == "auto"
    assert profile["custom_settings"]["distributed_product_mode"] == "global"
