"""The public names are exactly these; a name that leaves is announced two minor versions before."""

import subprocess
import sys
from pathlib import Path

import tickhouse

NAMES = {
    "FEATURE_NAMES", "Connection", "DefinedFeature", "InputError", "Order", "Orders", "OwnFeature",
    "Parameter", "Result", "Strategy", "Targets", "TickhouseError", "UnavailableError",
    "WarehouseError", "connect", "feature_index", "parameter_values",
}  # fmt: skip
OF_A_CONNECTION = {"bars", "close", "features", "runs", "sql", "symbols", "ticks", "trades", "url"}


def test_the_public_names_are_exactly_these():
    assert set(tickhouse.__all__) == NAMES
    assert {name for name in vars(tickhouse.Result) if not name.startswith("_")} == {
        "arrow", "columns", "pandas", "polars",
    }  # fmt: skip
    own = {name for name in vars(tickhouse.Connection) if not name.startswith("_")}
    assert own == OF_A_CONNECTION


def test_every_public_name_is_typed_and_described():
    folder = Path(str(tickhouse.__file__)).parent
    assert (folder / "py.typed").is_file()
    for name in NAMES - {"FEATURE_NAMES"}:
        assert getattr(tickhouse, name).__doc__, name


def test_a_strategy_imports_it_without_warehouse_or_clients():
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('clickhouse_connect', 'chdb', 'pandas', 'bytewax')))\n"
        "from tickhouse import Strategy, Targets\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
