"""The warehouse an import writes to: the one that runs, or one started for the occasion."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from adapters.clickhouse import client, migrate
from core import tls
from core.errors import UnavailableError
from core.home_users import SETUP, sign_in
from core.sections import ClickhouseSettings
from core.settings import Settings

_START_S = 60.0


@contextmanager
def warehouse(settings: Settings, name: str = SETUP) -> Iterator[ClickhouseSettings]:
    """A warehouse with its tables: the settings' URL, the running embedded one, or a new one.

    Args:
        settings: where it is, or the home to start one in.
        name: as whom of the home's own users; tables need SETUP at least.

    Raises:
        UnavailableError: the URL does not answer, or the embedded warehouse does not start.
        WarehouseError: its schema does not fit this version.
    """
    running = settings.clickhouse
    if not running.url:
        running = msgspec.structs.replace(running, url=_running_url(settings.home_path))
    if running.url:
        yield _migrated(sign_in(running, name))
        return
    _url_file(settings.home_path).unlink(missing_ok=True)
    command = [sys.executable, "-m", "warehouse", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--home", str(settings.home_path)], stdout=subprocess.DEVNULL
    )
    try:
        url = _started_url(process, settings.home_path)
        yield _migrated(sign_in(msgspec.structs.replace(settings.clickhouse, url=url), name))
    finally:
        process.terminate()
        process.wait()


def _migrated(settings: ClickhouseSettings) -> ClickhouseSettings:
    # Without the feature catalogue: whoever computes features adds its columns.
    migrate.apply(client.connect(settings), ())
    return settings


def _running_url(home: Path) -> str:
    """The embedded warehouse's URL if it answers; a killed one leaves its file behind."""
    file = _url_file(home)
    if not file.exists():
        return ""
    url = file.read_text()
    try:
        secured = urllib.request.HTTPSHandler(context=tls.trusted(home))
        with urllib.request.build_opener(secured).open(f"{url}/ping", timeout=5) as answer:
            return url if answer.status == 200 else ""
    except (OSError, ValueError):
        return ""


def _started_url(process: subprocess.Popen[bytes], home: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _url_file(home).exists() and (url := _running_url(home)):
            return url
        time.sleep(0.05)
    raise UnavailableError(
        f"the warehouse of {home} did not start; what it said is above (is another one using it?)"
    )


def _url_file(home: Path) -> Path:
    return home / "run" / "warehouse.url"
