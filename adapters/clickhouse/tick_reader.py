"""Stored ticks of one feed, back as the arrays they came from, bit for bit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.contracts.tick import TICK, TickArray

_SQL = Path(__file__).with_name("ticks.sql").read_text()
_SCALE = 100_000_000


def read_ticks(
    client: Client,
    source: str,
    symbol: str,
    first_msc: int,
    last_msc: int,
    as_of_us: int | None = None,
) -> Iterator[TickArray]:
    """Blocks of ticks in order of time and count, both bounds included.

    Args:
        as_of_us: as they were known then, microseconds UTC; the newest of each when None.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    given = {"source": source, "symbol": symbol, "first_msc": first_msc, "last_msc": last_msc}
    sql = _SQL if as_of_us is None else _SQL.replace("FROM tick FINAL", _as_of(as_of_us))
    with errors_translated():
        context = client.create_query_context(sql, given, use_numpy=True)
        with client.query_column_block_stream(context=context) as blocks:
            for time_msc, seq, quality, flags, volume, *prices in blocks:
                ticks = np.zeros(len(time_msc), TICK)
                ticks["time_msc"], ticks["seq"], ticks["quality"] = time_msc, seq, quality
                ticks["flags"], ticks["volume"] = flags, volume
                for name, units in zip(("bid", "ask", "last"), prices, strict=True):
                    ticks[name] = np.asarray(units, np.float64) / _SCALE
                yield ticks


def _as_of(us: int) -> str:
    moment = datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"FROM tick_as_of(moment = '{moment}.{us % 1_000_000:06}')"
