"""A home as its first start leaves it, for tests of what comes after that.

Making tables and empty marts takes five core-seconds, which each test would spend on its own. What
a start makes of nothing is tested by those that take no home from here: `tickhouse demo`, a plain
`up`, a plain `replay`.
"""

import shutil
from pathlib import Path

from adapters.clickhouse import marts, migrate
from core import home_version
from features.catalog import NAMES
from tests.support import shared_folder
from tests.support.dbt_command import share_reading
from tests.support.warehouse_server import Warehouse, tables


def for_replay(home: Path) -> Path:
    """With every table, as the first replay of a home leaves it; the home."""
    return _copied(tables(), home)


def for_up(home: Path, *, dagster: bool = False) -> Path:
    """With every table and every mart, empty, as the first `up` of a home leaves it; the home.

    Args:
        dagster: dbt has read its project, which takes as long again.
    """
    _copied(shared_folder.once("started", _started), home)
    if dagster:
        share_reading(home, "demo")
    return home


def _started(home: Path) -> None:
    for_replay(home)
    server = Warehouse(home)
    server.start()
    try:
        migrate.apply(server.client, NAMES)
        marts.make(server.client)
    finally:
        server.stop()


def _copied(made_once: Path, home: Path) -> Path:
    """Of that home nothing but the engine: no user, no credential."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(made_once / "warehouse", home / "warehouse", symlinks=True)
    home_version.write(home)
    return home
