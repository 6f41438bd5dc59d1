"""The warehouse an import writes to: the one that runs, or one started for the occasion."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from adapters.clickhouse import client, migrate
from core.home_users import SETUP, sign_in
from core.sections import ClickhouseSettings
from core.settings import Settings
from warehouse import occasion


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
    where = settings.clickhouse
    with occasion.reached(settings.home_path, where.url) as url:
        yield _migrated(sign_in(msgspec.structs.replace(where, url=url), name))


def _migrated(settings: ClickhouseSettings) -> ClickhouseSettings:
    # Without the feature catalogue: whoever computes features adds its columns.
    migrate.apply(client.connect(settings), ())
    return settings
