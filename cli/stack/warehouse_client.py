"""The warehouse a command talks to: the one in the settings, the one running in the home, or one
started for the occasion.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from cli.ingest.warehouse import warehouse
from core.errors import UnavailableError
from core.home_users import sign_in
from core.sections import ClickhouseSettings
from core.settings import Settings, running_warehouse
from warehouse import occasion


@contextmanager
def at_hand(settings: Settings) -> Iterator[None]:
    """Within it a warehouse answers: where none runs on the home, one is started and ended again.

    Raises:
        UnavailableError: it does not start, or nothing was ever stored there.
    """
    if settings.clickhouse.url or occasion.answering_url(settings.home_path):
        yield
        return
    if not occasion.is_stored(settings.home_path):
        raise UnavailableError(
            f"nothing was ever stored in {settings.home_path}: tickhouse import, replay or up does"
        )
    print("No warehouse runs on this home: one is started for this command.", file=sys.stderr)
    with warehouse(settings):
        yield


def warehouse_client(settings: Settings, name: str) -> Client:
    """A client of it, signed in as that user of the home's own.

    Raises:
        UnavailableError: none runs.
        WarehouseError: it refused user or password.
    """
    return connect(warehouse_settings(settings, name))


def warehouse_settings(settings: Settings, name: str) -> ClickhouseSettings:
    """Where it is, and as whom: `name` is one of `core.home_users.ROLES`.

    Raises:
        UnavailableError: none runs.
    """
    url = settings.clickhouse.url or running_warehouse(settings.home_path)
    if not url:
        raise UnavailableError(
            f"no warehouse runs in {settings.home_path}; start it with: tickhouse up, "
            "or give TICKHOUSE_CLICKHOUSE__URL"
        )
    return sign_in(msgspec.structs.replace(settings.clickhouse, url=url), name)
