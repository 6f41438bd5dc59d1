"""What dbt read of the project serves runs on other days, and no longer than the project stays.

In a process of its own: dbt keeps global state, and takes no warning for an error.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.warehouse_server import ROOT

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="orchestration")]

DAYS = {
    "from_day": "2026-03-02", "to_day": "2026-03-03", "with_changed": True,
    "restated_days": "2026-03-01", "blocked_days": "2026-03-02,2026-03-03",
    "report_date": "2026-03-02",
}  # fmt: skip
_RUNS = """
import json, sys
from orchestration import dbt_parsed
for words in map(json.loads, sys.argv[1:]):
    print(f"== {dbt_parsed.invoke(words)}", flush=True)
"""


def runs(folder: Path, *commands: tuple[list[str], dict[str, Any]]) -> list[list[str]]:
    """What each command printed, all in one process, with its status as the last line."""
    fixed = [
        *("--parsed", str(folder / "parsed"), "--project-dir", str(folder / "dbt")),
        *("--profiles-dir", str(folder / "dbt"), "--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    ]
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", _RUNS),
            *(json.dumps([*words, *fixed, "--vars", json.dumps(of)]) for words, of in commands),
        ],
        cwd=ROOT, env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    *outputs, rest = done.stdout.split("== ")
    statuses = [int(part.split()[0]) for part in (*outputs[1:], rest)]
    return [[*text.splitlines(), str(code)] for text, code in zip(outputs, statuses, strict=True)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy that a test may change; the folder around it."""
    shutil.copytree(ROOT / "dbt", tmp_path / "dbt")
    return tmp_path


def parsed(folder: Path) -> list[Path]:
    return sorted((folder / "parsed").iterdir())


def manifest_of(project: Path, variables: dict[str, Any]) -> Path:
    """What dbt itself writes when it reads the project with these variables."""
    manifest = project / "target" / "manifest.json"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "parse"),
            *("--no-partial-parse", "--vars", json.dumps(variables)),
            *("--project-dir", str(project / "dbt"), "--profiles-dir", str(project / "dbt")),
            *("--target-path", str(manifest.parent), "--log-path", str(project / "logs")),
        ],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return manifest


def test_the_days_of_a_run_change_nothing_of_what_is_read(project: Path) -> None:
    nodes = []
    for variables in ({"mode": "live"}, {"mode": "live", **DAYS}):
        read = json.loads(manifest_of(project, variables).read_text())
        nodes.append({**read["nodes"], **read["sources"], **read["macros"]})
    lasting, of_a_run = nodes
    assert len(lasting) > 200
    assert {name: without_parents(node) for name, node in lasting.items()} == {
        name: without_parents(node) for name, node in of_a_run.items()
    }
    # What a run on some days reads from is known without them, and `+model` means the same models.
    for name in lasting:
        assert parents(of_a_run, name) <= parents(lasting, name), name
        assert before(of_a_run, name) == before(lasting, name), name


def without_parents(node: dict[str, Any]) -> dict[str, Any]:
    left_out = {"created_at", "refs", "depends_on"}
    return {key: value for key, value in node.items() if key not in left_out}


def parents(nodes: dict[str, dict[str, Any]], name: str) -> set[str]:
    return {
        parent
        for parents in nodes.get(name, {}).get("depends_on", {}).values()
        for parent in parents
    }


def before(nodes: dict[str, dict[str, Any]], name: str) -> set[str]:
    """All that must be built or known before it."""
    known, waiting = set[str](), [name]
    while waiting:
        new = parents(nodes, waiting.pop()) - known
        known |= new
        waiting += new
    return known


def test_a_run_on_other_days_reads_nothing_and_another_mode_or_file_is_read(
    project: Path,
) -> None:
    live, listed = {"mode": "live"}, ["ls", "--select", "fct_trade", "--resource-type", "model"]
    first, again = runs(project, (listed, live), (listed, {**live, **DAYS}))
    (kept,) = parsed(project)
    written = kept.stat()
    assert "tickhouse.marts.trading.fct_trade" in first
    assert again[-2:] == first[-2:] == ["tickhouse.marts.trading.fct_trade", "0"]

    (output,) = runs(project, (listed, {"mode": "replay"}))
    assert output[-1] == "0"
    assert [path.name.partition("-")[0] for path in parsed(project)] == ["live", "replay"]
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)

    mart = project / "dbt" / "models" / "marts" / "trading" / "fct_trade.sql"
    mart.write_text(mart.read_text() + "-- another\n")
    (output,) = runs(project, (listed, live))
    assert output[-1] == "0"
    assert not kept.exists()
    (newer,) = (path for path in parsed(project) if path.name.startswith("live-"))

    newer.write_bytes(newer.read_bytes()[:1000])
    (output,) = runs(project, (listed, live))
    assert f"{newer.name} is damaged" in output[0]
    assert output[-1] == "0"
    assert newer.stat().st_size > 100_000


def test_a_project_that_does_not_parse_is_an_error_and_is_not_kept(project: Path) -> None:
    mart = project / "dbt" / "models" / "marts" / "trading" / "fct_trade.sql"
    mart.write_text("select {{ ref('x') }}")
    (output,) = runs(project, (["ls"], {"mode": "live"}))
    assert output[-1] == "1"
    assert "depends on a node named 'x' which was not found" in "".join(output)
    assert not (project / "parsed").exists()


_COMPARE = """
import json, sys
import dagster as dg
from dagster_dbt import build_dbt_asset_specs
from orchestration import dbt_groups

manifest, after = json.load(open(sys.argv[1])), dg.AssetKey("data_checks")
ours = {spec.key: spec for spec in dbt_groups.specs(manifest, after)}
theirs = {spec.key: spec for spec in build_dbt_asset_specs(manifest=manifest)}

def compared(spec):
    metadata = {n: v for n, v in spec.metadata.items() if not n.startswith("dagster_dbt/")}
    reads = {dep.asset_key for dep in spec.deps} - {after}
    return reads, spec.code_version, spec.tags, spec.kinds, spec.skippable, metadata

assert ours.keys() == theirs.keys()
for key in ours:
    assert compared(ours[key]) == compared(theirs[key]), key
    staged = ours[key].group_name.startswith("staging")
    assert (after in {dep.asset_key for dep in ours[key].deps}) == staged, key
print(len(ours))
"""


def test_assets_of_models_are_those_that_dagsters_own_library_makes(project: Path) -> None:
    manifest = manifest_of(project, {"mode": "live"})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _COMPARE, str(manifest)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 90
