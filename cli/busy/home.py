"""A home of its own for a busy day, beneath the real one: what is made up touches nothing real.

Only the embedded warehouse of that folder is ever written to, whatever warehouse settings name.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from cli.busy import store
from cli.busy.day import Day, busy_day
from cli.stack.home_lock import HomeLock
from cli.stack.warehouse_setup import make_marts, migrate
from core import credentials, home_version
from core.clock import Clock
from core.sections import ClickhouseSettings
from core.settings import Settings
from warehouse import occasion

_LOCKED = "run"  # the lock itself lies there


class BusyHome(NamedTuple):
    """What was generated, and where."""

    folder: Path
    rows: dict[str, int]
    has_marts: bool  # built, and not only there


def generate(settings: Settings, mode: str, clock: Clock) -> BusyHome:
    """Make the folder anew, with the day that ends now.

    Raises:
        SettingsError: there is no such mode.
        BusyError: something runs on the folder.
        UnavailableError, WarehouseError: its warehouse does not start, or refused.
    """
    day, folder = busy_day(mode, clock.now_us()), settings.home_path / "busy"
    lock = HomeLock(folder).acquire()
    try:
        for path in folder.iterdir():
            if path.name != _LOCKED:
                _remove(path)
        return _fill(settings, folder, day)
    finally:
        lock.release()


def _fill(settings: Settings, folder: Path, day: Day) -> BusyHome:
    with occasion.started(folder) as url:
        where = ClickhouseSettings(url=url, credentials=str(credentials.directory_of(folder)))
        own = replace(settings, home=str(folder), clickhouse=where, run=day.run)
        migrate(own, url)
        make_marts(own, url)
        home_version.write(folder)
        rows = store.store(own, url, day)
        return BusyHome(folder, rows, _build_marts(own))


def _build_marts(settings: Settings) -> bool:
    """Whether there is a dbt, which then built them."""
    if find_spec("dbt") is None:
        return False
    from orchestration import dbt_project

    dbt_project.run(settings, "run", {"mode": settings.run.mode})
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
