"""Settings as a Dagster resource: read when a run starts, never at import."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from core import settings as product
from core.errors import TickhouseError, UnavailableError, WarehouseError
from core.home_users import DAGSTER, as_process

_UNKNOWN_TABLE = {60, 81}  # ClickHouse: no such table, no such database


class Tickhouse(dg.ConfigurableResource):
    """The product's settings and its warehouse, as every other process has them."""

    def settings(self, name: str = DAGSTER) -> product.Settings:
        """With the address of the warehouse that runs on the home, unless one is set.

        Args:
            name: as whom of the home's own users it is asked; backups are an admin's.

        Raises:
            UnavailableError: no warehouse is set, and none runs.
        """
        loaded = product.load()
        url = loaded.clickhouse.url or product.running_warehouse(loaded.home_path)
        if not url:
            raise UnavailableError(
                f"no warehouse runs in {loaded.home_path}; start it with: tickhouse up, "
                "or give TICKHOUSE_CLICKHOUSE__URL"
            )
        where = msgspec.structs.replace(loaded.clickhouse, url=url)
        return as_process(msgspec.structs.replace(loaded, clickhouse=where), name)

    def client(self, name: str = DAGSTER) -> Client:
        """A client of the warehouse; close it."""
        return connect(self.settings(name).clickhouse)

    @contextmanager
    def connected(self, name: str = DAGSTER) -> Iterator[Client]:
        """A client for the length of a block, within which our errors fail the step in words."""
        with plain_failures():
            client = self.client(name)
            try:
                yield client
            finally:
                client.close()


@contextmanager
def plain_failures() -> Iterator[None]:
    """Our errors say what to do; a page of a run shows them without a traceback of ours."""
    try:
        yield
    except TickhouseError as error:
        text = str(error)
        if isinstance(error, WarehouseError) and error.code in _UNKNOWN_TABLE:
            text += ". The table is made by `tickhouse up`: start it once, then run this again"
        raise dg.Failure(text, allow_retries=False) from error
