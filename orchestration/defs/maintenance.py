"""Backup and retention, and the streaming tables as assets that others write."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from adapters.clickhouse import archive, retention
from orchestration.resources import Tickhouse

STREAMED = ("tick", "feature", "prediction", "signal", "order_event")


@dg.multi_observable_source_asset(
    specs=[
        dg.AssetSpec(table, group_name="streams", description=f"Table {table}, written by streams.")
        for table in STREAMED
    ]
)
def streamed_tables(tickhouse: Tickhouse) -> Iterator[dg.ObserveResult]:
    """Rows and newest market time of what the streams write."""
    client = tickhouse.client()
    try:
        for table in STREAMED:
            rows, first, last = client.query(
                f"SELECT count(), min(ts_event), max(ts_event) FROM {table}"
            ).result_rows[0]
            yield dg.ObserveResult(
                asset_key=table,
                metadata={"dagster/row_count": rows, "from": str(first), "to": str(last)},
            )
    finally:
        client.close()


@dg.asset(group_name="maintenance", description="A copy of the warehouse, proved by restoring it.")
def backup(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Under HOME/backups, named by the time."""
    now = datetime.now(UTC)
    folder = tickhouse.settings().home_path / "backups" / now.strftime("%Y%m%dT%H%M%SZ")
    client = tickhouse.client()
    try:
        manifest = archive.backup(client, folder, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    finally:
        client.close()
    rows = sum(table.rows for table in manifest.tables.values())
    return dg.MaterializeResult(metadata={"folder": str(folder), "dagster/row_count": rows})


@dg.asset(group_name="maintenance", description="Tables keep rows for as long as settings say.")
def retained(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Applies TICKHOUSE_WAREHOUSE__RETENTION."""
    settings = tickhouse.settings()
    client = tickhouse.client()
    try:
        changed = retention.apply(client, retention.parse(settings.warehouse.retention))
    finally:
        client.close()
    return dg.MaterializeResult(metadata={"statements": changed})
