"""A warehouse at hand that has the audit trail of now, for cases that are folded from it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from audit.export import export
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core.home_users import COMMANDS
from core.settings import Settings


@contextmanager
def audited(settings: Settings) -> Iterator[tuple[Client, Settings]]:
    """A client, and the settings that it is signed in with; the trail is brought over first.

    Raises:
        UnavailableError: no warehouse starts, or nothing was ever stored.
    """
    with at_hand(settings):
        signed_in = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
        with closing(warehouse_client(settings, COMMANDS)) as client:
            export(client, signed_in.clickhouse, settings.home_path)
            yield client, signed_in
