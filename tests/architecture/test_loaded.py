"""What runs for weeks holds no library that it does not use: each costs tens of MiB for ever."""

import subprocess
import sys

import pytest

from tests.support.warehouse_server import ROOT

_SCRIPT = """
import importlib, sys
module, _, called = sys.argv[1].partition(":")
loaded = importlib.import_module(module)
if called:
    getattr(loaded, called)("test")
print(" ".join(name for name in sys.argv[2].split(",") if name in sys.modules))
"""
_FRAMES = {"pandas", "scipy", "sklearn", "matplotlib", "mlflow", "great_expectations"}
_FILES = {*_FRAMES, "pyarrow"}
_COMPILED = {*_FILES, "numba", "onnxruntime"}
_UNASKED = {"scipy.linalg", "cffi"}  # of numba, in case they are there


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("cli.commands.up", _COMPILED),
        ("adapters.simulator.server", _COMPILED | {"clickhouse_connect"}),
        ("streams.collector", _COMPILED | {"clickhouse_connect"}),
        ("streams.__main__", _COMPILED),
        ("execution.__main__", _COMPILED | {"clickhouse_connect"}),
        ("surveillance.__main__", _COMPILED),
        ("dashboards.live.__main__", _COMPILED),
        ("streams.explain.attempts", _UNASKED | _FILES - {"scipy"} | {"onnxruntime"}),
        ("features.kernel", _UNASKED | _FILES - {"scipy"}),
        ("core.log:setup", _COMPILED | {"rich", "pygments", "attr"}),
        ("orchestration.definitions", _FILES | {"dbt", "dagster_dbt", "sqlglot", "typst"}),
    ],
)
def test_a_process_loads_nothing_heavy_that_it_does_not_use(module: str, unused: set[str]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SCRIPT, module, ",".join(sorted(unused))],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    assert loaded.stdout.split() == []
