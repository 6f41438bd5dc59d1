"""Stored ticks of the warehouse as one parquet file per feed, for a backtest to read.

Late ticks are left out: features skip them, and in the order of the table they would look as if
they had come in time.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.contracts.tick import OUT_OF_ORDER
from core.errors import InputError

_FEEDS = Path(__file__).with_name("feeds.sql").read_text()
_TICKS = """
SELECT toUnixTimestamp64Milli(ts_event) AS time_msc, toFloat64(bid) AS bid,
    toFloat64(ask) AS ask, toFloat64(last) AS last, volume, toUInt32(flags) AS flags
FROM tick FINAL
WHERE source = {source:String} AND symbol = {symbol:String} AND bitAnd(quality, {late:UInt16}) = 0
    AND ts_event < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY ts_event, seq
"""
_END_MSC = 4_102_444_800_000
_ROWS = 131_072


def from_warehouse(
    client: Client,
    directory: Path,
    symbols: Sequence[str],
    source: str | None,
    span_msc: tuple[int, int | None],
) -> list[Path]:
    """Write all feeds of the sources that have the symbols: features look at the others too.

    All ticks before the span's end, for they warm features up.

    Raises:
        InputError: there is none.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    directory.mkdir(parents=True, exist_ok=True)
    given = {"symbols": list(symbols), "source": source or "", "to": span_msc[1] or _END_MSC}
    with errors_translated():
        feeds = client.query(_FEEDS, given).result_rows
        if not feeds:
            raise InputError("table tick", "no tick of that symbol, source and span; import some")
        return [_written(client, directory, feed, given) for feed in feeds]


def _written(
    client: Client, directory: Path, feed: Sequence[str], given: dict[str, object]
) -> Path:
    path = directory / f"{feed[1]}_{feed[0]}.parquet"
    parameters = {**given, "source": feed[0], "symbol": feed[1], "late": OUT_OF_ORDER}
    writer = None
    with client.query_arrow_stream(_TICKS, parameters) as blocks:
        for table in _even(blocks):
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    assert writer is not None  # the feed has a tick
    writer.close()
    return path


def _even(blocks: Iterable[Any]) -> Iterator[Any]:
    """Tables of a fixed length: the same ticks give the same file, however they were streamed."""
    waiting: list[Any] = []
    for block in blocks:
        waiting.append(block if isinstance(block, pa.Table) else pa.Table.from_batches([block]))
        if sum(len(table) for table in waiting) >= _ROWS:
            joined = pa.concat_tables(waiting).combine_chunks()
            full = len(joined) // _ROWS * _ROWS
            yield from (joined.slice(start, _ROWS) for start in range(0, full, _ROWS))
            waiting = [joined.slice(full)]
    if sum(len(table) for table in waiting):
        yield pa.concat_tables(waiting).combine_chunks()
