"""`tickhouse doctor`: is the warehouse that answers in good order, and when will its disk be full?

All of it is read from ClickHouse's system tables, so it holds for a real server too.
"""

import os
from collections.abc import Iterator
from typing import Any

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.cluster import table_of
from cli.diagnostics.check import Check, result_of
from cli.stack.warehouse_client import warehouse_client
from core.errors import SettingsError, TickhouseError, UnavailableError
from core.home_users import READER
from core.settings import Settings

_PARTS = 300  # of one partition; ClickHouse slows inserts from 1,000 on
_MERGE_S = 600
_MEMORY_SHARE = 0.5
_DAYS = 14
_GIB = 2**30

_PARTS_SQL = """
SELECT table, partition, count() AS parts FROM system.parts
WHERE active AND database = {db:String} GROUP BY table, partition ORDER BY parts DESC LIMIT 1
"""
_MERGES_SQL = "SELECT count(), max(elapsed) FROM system.merges WHERE database = {db:String}"
_MEMORY_SQL = "SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'"
_DISK_SQL = """
SELECT
    (SELECT min(unreserved_space) FROM system.disks) AS free,
    (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = {db:String}) AS used,
    (SELECT sum(data_uncompressed_bytes) FROM system.parts
     WHERE active AND database = {db:String}) AS plain
"""
# The share of a day that the log covers, so that an hour's inserts are not taken for a day's.
_GROWTH_SQL = """
SELECT sum(written_bytes), dateDiff('second', min(ts_event), now64(6)) / 86400
FROM query_log WHERE ts_event > now64(6) - INTERVAL 7 DAY
"""


def warehouse_checks(config: Settings) -> Iterator[Check]:
    """Every check; one line when nothing runs."""
    try:
        client = warehouse_client(config, READER)
        with errors_translated():
            ask = {"db": config.clickhouse.database}
            yield parts(client.query(_PARTS_SQL, parameters=ask).result_rows)
            yield merges(*client.query(_MERGES_SQL, parameters=ask).result_rows[0])
            held = int(client.query(_MEMORY_SQL).result_rows[0][0])
            yield memory(held, 0 if config.clickhouse.url else _machine_memory())
            free, used, plain = client.query(_DISK_SQL, parameters=ask).result_rows[0]
            written, days = client.query(_GROWTH_SQL).result_rows[0]
            yield disk(free, used, plain, written, days)
    except UnavailableError:
        return  # nothing runs; other checks say whether that is a fault
    except SettingsError as error:
        yield Check("warehouse", "failed", str(error), "correct that setting")
    except TickhouseError as error:
        remedy = "give TICKHOUSE_CLICKHOUSE__USER and __PASSWORD of an admin (tickhouse users list)"
        yield Check("warehouse", "failed", str(error).splitlines()[0][:200], remedy)


def parts(rows: Any) -> Check:
    """Many parts in one partition: inserts too small, or merges that do not keep up."""
    table, partition, count = rows[0] if rows else ("nothing", "", 0)
    return result_of(
        "warehouse parts",
        count < _PARTS,
        f"at most {count} in a partition ({table_of(table)} {partition})",
        "insert larger blocks, or wait for merges; `OPTIMIZE TABLE` joins parts at once",
        "warning",
    )


def merges(running: int, longest_s: float) -> Check:
    """A merge that takes very long holds back the others."""
    return result_of(
        "warehouse merges",
        longest_s < _MERGE_S,
        f"{running} running, the longest for {longest_s:.0f} s",
        "wait for it; if the disk is the cause, the disk check says so",
        "warning",
    )


def memory(held: int, total: int) -> Check:
    """Bytes the server holds, against the machine's memory (0: it is another machine's)."""
    share = held / total if total else 0.0
    return result_of(
        "warehouse memory",
        share < _MEMORY_SHARE,
        f"{held / _GIB:.1f} GiB" + (f" of {total / _GIB:.1f}" if total else ""),
        "see tickhouse.slow_query for who holds it; give users --max-memory-mib",
        "warning",
    )


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def disk(free: int, used: int, plain: int, written: int, days: float) -> Check:
    """Days until the disk is full, if rows come as they came this week.

    Args:
        free: bytes left on the fullest disk.
        used: bytes of the database on disk.
        plain: the same, uncompressed.
        written: uncompressed bytes inserted within the last `days`, at most seven.
        days: how long the query log reaches back.
    """
    ratio = used / plain if plain else 1.0
    a_day = written * ratio / max(days, 1.0)  # one busy hour is not taken for a busy day
    left = free / a_day if a_day else float("inf")
    full = f"full in {left:,.0f} days" if left < 36500 else "not filling"
    return result_of(
        "warehouse disk",
        left >= _DAYS,
        f"{used / _GIB:.2f} GiB used, {free / _GIB:.1f} GiB free, {full}",
        "set TICKHOUSE_WAREHOUSE__RETENTION, free some space, or move TICKHOUSE_HOME",
        "warning",
    )
