"""Settings as a Dagster resource: read when a run starts, never at import."""

import dagster as dg
import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from core import settings as product
from core.errors import UnavailableError


class Tickhouse(dg.ConfigurableResource):
    """The product's settings and its warehouse, as every other process has them."""

    def settings(self) -> product.Settings:
        """With the address of the warehouse that runs on the home, unless one is set.

        Raises:
            UnavailableError: no warehouse is set, and none runs.
        """
        found = product.load()
        written = found.home_path / "run" / "warehouse.url"
        url = found.clickhouse.url or (written.read_text().strip() if written.exists() else "")
        if not url:
            raise UnavailableError(
                f"no warehouse runs in {found.home_path}; start it with: tickhouse up, "
                "or give TICKHOUSE_CLICKHOUSE__URL"
            )
        where = msgspec.structs.replace(found.clickhouse, url=url)
        return msgspec.structs.replace(found, clickhouse=where)

    def client(self) -> Client:
        """A client of the warehouse."""
        return connect(self.settings().clickhouse)
