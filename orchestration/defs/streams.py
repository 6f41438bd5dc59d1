"""What the streaming processes write, as assets that Dagster observes and never makes.

Their keys are those of dbt's sources, so that the graph goes on into the marts. A sensor looks at
them every minute; freshness counts from when it last found new rows. A closed market owes none:
a table is fresh while every feed whose market is open has quoted lately.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.instruments import instrument, is_open
from orchestration.resources import Tickhouse

WARN, FAIL = timedelta(minutes=5), timedelta(minutes=15)


class Streamed(NamedTuple):
    """A table, its dbt source, and whether it owes rows while a market is open."""

    table: str
    source: str
    description: str
    steady: bool


TABLES = (
    Streamed("tick", "market", "Every kept tick, flagged or not.", True),
    Streamed("tick_quarantine", "market", "Refused rows with their reason.", False),
    Streamed("prediction", "decision", "Three probabilities per feature row.", False),
    Streamed("signal", "decision", "Target positions with their exits.", False),
    Streamed("order_event", "execution", "What happened to each order, from the journal.", False),
    Streamed("position", "execution", "Net positions after each fill.", False),
    Streamed("account_state", "execution", "What the terminal said of the account.", False),
    Streamed("risk_state", "execution", "Changes of the kill switch.", False),
    Streamed("feature", "decision", "Feature vectors, one row per sampled tick.", True),
)
#: Where a table has no column `ts_event`.
_TIMES = {"tick_quarantine": "ts_recv"}


def key_of(streamed: Streamed) -> dg.AssetKey:
    """As dagster-dbt names the source."""
    return dg.AssetKey([streamed.source, streamed.table])


def specs() -> list[dg.AssetSpec]:
    """One per table; those that owe rows have a freshness policy."""
    policy = dg.FreshnessPolicy.time_window(fail_window=FAIL, warn_window=WARN)
    return [
        dg.AssetSpec(
            key_of(streamed),
            group_name="streams",
            description=f"{streamed.description} Written by the streaming processes.",
            kinds={"clickhouse"},
            freshness_policy=policy if streamed.steady else None,
        )
        for streamed in TABLES
    ]


class TableState(NamedTuple):
    """A table at a moment."""

    streamed: Streamed
    rows: int
    first: datetime | None
    last: datetime | None


def table_states(client: Client) -> list[TableState]:
    """Rows and span of every table; one that does not exist yet has none."""
    with errors_translated():
        there = {
            str(name): int(rows or 0)
            for name, rows in client.query(
                "SELECT name, total_rows FROM system.tables WHERE database = currentDatabase()"
            ).result_rows
        }
        return [_table_state(client, streamed, there.get(streamed.table, 0)) for streamed in TABLES]


def silent_feeds(client: Client, now_us: int, after_s: float = WARN.total_seconds()) -> list[str]:
    """Feeds that quoted within the last week, are open now, and have been silent for long."""
    with errors_translated():
        newest = client.query(
            "SELECT source, symbol, toUnixTimestamp64Micro(max(ts_event)) FROM tick "
            "GROUP BY source, symbol ORDER BY source, symbol"
        ).result_rows
    silent = []
    for source, symbol, last_us in newest:
        known = instrument(str(symbol), now_us)
        age_s = (now_us - int(last_us)) / 1e6
        opened = known is not None and is_open(known.session, now_us)
        opened = opened and is_open(known.session if known else "", now_us - round(after_s * 1e6))
        if opened and after_s < age_s < 7 * 86_400:
            silent.append(f"{source} {symbol}: no tick for {age_s / 60:.0f} min, market open")
    return silent


def metadata_of(table: TableState) -> dict[str, Any]:
    """For a person."""
    metadata: dict[str, Any] = {"dagster/row_count": table.rows}
    if table.first and table.last:
        metadata |= {"from": str(table.first), "to": str(table.last)}
    return metadata


@dg.multi_observable_source_asset(specs=specs(), name="streamed_tables")
def streamed_tables(tickhouse: Tickhouse) -> Iterator[dg.ObserveResult]:
    """Rows and newest market time of what the streams write."""
    client = tickhouse.client()
    try:
        for table in table_states(client):
            yield dg.ObserveResult(asset_key=key_of(table.streamed), metadata=metadata_of(table))
    finally:
        client.close()


def _table_state(client: Client, streamed: Streamed, rows: int) -> TableState:
    if not rows:
        return TableState(streamed, 0, None, None)
    column = _TIMES.get(streamed.table, "ts_event")
    # What has no market time (the epoch) is no beginning.
    begin = f"minIf({column}, toUnixTimestamp({column}) > 0)"
    sql = f"SELECT {begin}, max({column}) FROM {streamed.table}"
    first, last = client.query(sql).result_rows[0]
    return TableState(streamed, rows, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
