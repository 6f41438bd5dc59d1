"""Makes a warehouse ready for the processes that write to it."""

import msgspec

from core.settings import Settings


def migrate(settings: Settings, url: str) -> list[str]:
    """Apply the migrations that the warehouse at `url` lacks; return their names.

    Raises:
        WarehouseError, UnavailableError: as adapters.clickhouse.migrate.apply.
    """
    from adapters.clickhouse import client, migrate
    from features import catalog

    where = msgspec.structs.replace(settings.clickhouse, url=url)
    return migrate.apply(client.connect(where), catalog.NAMES)


def has_champion(settings: Settings, url: str) -> bool:
    """Whether a model is in charge, so that there are predictions."""
    from adapters.clickhouse import client

    where = msgspec.structs.replace(settings.clickhouse, url=url)
    with client.errors_translated():
        answer = client.connect(where).query(
            "SELECT count() FROM model FINAL WHERE status = 'champion'"
        )
    return bool(answer.result_rows[0][0])
