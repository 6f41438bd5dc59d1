"""How long tables keep rows: off unless a setting names the table.

Days count from when a row was stored, by a column that is added for the purpose. No other column
will do: in a replay or an import `ts_recv` and `ts_init` are market time, and ticks of 2012 would
be gone the moment they arrive. Rows older than the column count from the first merge after it was
added, so they stay longer, never shorter.
"""

import re
from collections.abc import Mapping

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.cluster import table_of
from core.errors import SettingsError

_ENTRY = re.compile(r"([a-z_0-9]+)\s*=\s*(\d+)")
STORED = "ts_stored"  # column that says when a row was stored


def parse(text: str) -> dict[str, int]:
    """Days by table from `tick=365, feature=90`.

    Raises:
        SettingsError: not of this form, or no whole day.
    """
    days = {}
    for part in filter(None, (entry.strip() for entry in text.split(","))):
        match = _ENTRY.fullmatch(part)
        if match is None or int(match[2]) < 1:
            raise SettingsError(
                f"TICKHOUSE_WAREHOUSE__RETENTION: {part!r}: write table=days, for example tick=365"
            )
        days[match[1]] = int(match[2])
    return days


def apply(client: Client, days: Mapping[str, int]) -> list[str]:
    """Make the tables keep rows for so many days, and all others for ever; safe to repeat.

    Returns:
        The statements that were needed.

    Raises:
        SettingsError: a table that is not there.
        WarehouseError: ClickHouse refused.
    """
    with errors_translated():
        rows = client.query(
            "SELECT name, extract(create_table_query, ' TTL (.+?) SETTINGS') FROM system.tables "
            "WHERE database = {db:String} AND engine LIKE '%MergeTree' ORDER BY name",
            parameters={"db": client.database},
        ).result_rows
        now = {table_of(str(name)): str(ttl) for name, ttl in rows}
        if unknown := sorted(set(days) - set(now)):
            raise SettingsError(
                f"TICKHOUSE_WAREHOUSE__RETENTION: no table {', '.join(unknown)}; "
                f"there are {', '.join(now)}"
            )
        statements = [s for name, ttl in now.items() for s in _statements(name, ttl, days)]
        for statement in statements:
            client.command(statement)
    return statements


def _statements(table: str, ttl: str, days: Mapping[str, int]) -> list[str]:
    if table not in days:
        return [f"ALTER TABLE `{table}` REMOVE TTL"] if STORED in ttl else []
    wanted = f"{STORED} + toIntervalDay({days[table]})"
    if ttl == wanted:
        return []
    return [
        f"ALTER TABLE `{table}` ADD COLUMN IF NOT EXISTS {STORED} DateTime('UTC') DEFAULT now() "
        "COMMENT 'When the row was stored; for retention only'",
        # Nothing is rewritten now: merges drop what is due.
        f"ALTER TABLE `{table}` MODIFY TTL {wanted} SETTINGS materialize_ttl_after_modify = 0",
    ]
