"""Rows that `tickhouse status` asks of the warehouse of a running stack."""

from importlib import resources
from typing import Any

import msgspec

from core.home_users import READER, sign_in
from core.settings import Settings


def rows(settings: Settings, url: str, name: str) -> list[dict[str, Any]]:
    """What the statement `<name>.sql` says of the settings' account.

    Raises:
        TickhouseError: the warehouse does not answer, or not so.
    """
    from adapters.clickhouse import client

    statement = resources.files("cli.diagnostics").joinpath(f"{name}.sql").read_text()
    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), READER)
    warehouse = client.connect(where)
    try:
        with client.errors_translated():
            parameters = {"account": settings.run.account}
            return list(warehouse.query(statement, parameters=parameters).named_results())
    finally:
        warehouse.close()
