"""Settings as a Dagster resource: read when a run starts, never at import."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from core import settings as product
from core.errors import TickhouseError, UnavailableError, WarehouseError

_UNKNOWN_TABLE = {60, 81}  # ClickHouse: no such table, no such database


class Tickhouse(dg.ConfigurableResource):
    """The product's settings and its warehouse, as every other process has them."""

    def settings(self) -> product.Settings:
        """With the address of the warehouse that runs on the home, unless one is set.

        Raises:
            UnavailableError: no warehouse is set, and none runs.
        """
        loaded = product.load()
        written = loaded.home_path / "run" / "warehouse.url"
        url = loaded.clickhouse.url or (written.read_text().strip() if written.exists() else "")
        if not url:
            raise UnavailableError(
                f"no warehouse runs in {loaded.home_path}; start it with: tickhouse up, "
                "or give TICKHOUSE_CLICKHOUSE__URL"
            )
        where = msgspec.structs.replace(loaded.clickhouse, url=url)
        return msgspec.structs.replace(loaded, clickhouse=where)

    def client(self) -> Client:
        """A client of the warehouse; close it."""
        return connect(self.settings().clickhouse)

    @contextmanager
    def connected(self) -> Iterator[Client]:
        """A client for the length of a block, within which our errors fail the step in words."""
        with plain_failures():
            client = self.client()
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
