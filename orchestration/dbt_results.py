"""What a dbt build did, model by model, from the file that dbt leaves."""

import json
from pathlib import Path
from typing import NamedTuple


class BuiltModel(NamedTuple):
    """A model, and the tests that hang on it."""

    seconds: float
    tests: int
    passed: int


def built_models(target: Path) -> dict[str, BuiltModel]:
    """By name; empty when dbt left nothing."""
    path = target / "run_results.json"
    if not path.exists():
        return {}
    manifest = json.loads((target / "manifest.json").read_text())
    parents = {
        name: node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
        for name, node in (manifest["nodes"] | manifest["unit_tests"]).items()
    }
    seconds: dict[str, float] = {}
    tests: dict[str, list[bool]] = {}
    for result in json.loads(path.read_text())["results"]:
        name = result["unique_id"]
        if name.startswith("model."):
            seconds[name] = round(result["execution_time"], 2)
        else:
            tests.setdefault(parents.get(name, ""), []).append(result["status"] == "pass")
    return {
        name.rpartition(".")[2]: BuiltModel(
            took, len(tests.get(name, [])), sum(tests.get(name, []))
        )
        for name, took in seconds.items()
    }
