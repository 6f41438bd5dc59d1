"""The warehouse a command talks to: the one in the settings, or the one running in the home."""

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from core.errors import UnavailableError
from core.sections import ClickhouseSettings
from core.settings import Settings


def warehouse_client(settings: Settings) -> Client:
    """A client of it.

    Raises:
        UnavailableError: none runs.
        WarehouseError: it refused user or password.
    """
    return connect(warehouse_settings(settings))


def warehouse_settings(settings: Settings) -> ClickhouseSettings:
    """Where it is, and as whom.

    Raises:
        UnavailableError: none runs.
    """
    url = settings.clickhouse.url
    written = settings.home_path / "run" / "warehouse.url"
    if not url and written.exists():
        url = written.read_text().strip()
    if not url:
        raise UnavailableError(
            f"no warehouse runs in {settings.home_path}; start it with: tickhouse up, "
            "or give TICKHOUSE_CLICKHOUSE__URL"
        )
    return msgspec.structs.replace(settings.clickhouse, url=url)
