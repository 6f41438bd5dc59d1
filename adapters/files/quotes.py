"""From delimited rows to chunks: what the text formats have in common.

A reader says which columns hold time, bid and ask and how the time is written; everything else
is the same for all of them.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from adapters.files.base import QUOTE, Chunk, Floats, RefusedRow, make_ticks
from adapters.files.delimited import Bytes, Fields, Table, equal, fields
from adapters.files.numbers import decimals
from adapters.files.times import ColumnTimes, Mask
from adapters.files.zone import LocalClock, Zone


class QuoteColumns(NamedTuple):
    """Where a row's time, bid and ask stand, and how the time is read."""

    time: int
    bid: int
    ask: int
    read_time: Callable[[Bytes], ColumnTimes]
    symbol: tuple[int, bytes] | None = None  # column and the only text it may hold
    decimal_comma: bool = False  # numbers may be written with a comma

    def price(self, column: Bytes) -> tuple[Floats, Mask]:
        """Prices of a column, and which of them are numbers."""
        if self.decimal_comma:
            column = np.where(column == ord(","), np.uint8(ord(".")), column)
        return decimals(column)


def quote_chunks(
    path: str, stream: BinaryIO, table: Table, columns: QuoteColumns, zone: Zone
) -> Iterator[Chunk]:
    """A stream's rows as chunks with derived flags; `path` names it in errors.

    Raises:
        InputError: see `adapters.files.delimited.fields`.
    """
    clock = LocalClock(zone)
    for rows, refused in fields(path, stream, table):
        yield _chunk(rows, refused, columns, clock)


def _chunk(
    rows: Fields,
    refused: list[RefusedRow],
    columns: QuoteColumns,
    clock: LocalClock,
) -> Chunk:
    time = columns.read_time(rows.column(columns.time))
    bid, bid_read = columns.price(rows.column(columns.bid))
    ask, ask_read = columns.price(rows.column(columns.ask))
    good = time.valid & bid_read & ask_read
    refused = refused + rows.refuse(~good)
    if columns.symbol:
        other = good & ~equal(rows.column(columns.symbol[0]), columns.symbol[1])
        refused += rows.refuse(other, "unknown_symbol")
        good &= ~other
    msc, skipped = clock.read(time.msc, good & ~time.has_offset)
    refused += rows.refuse(skipped, "nonexistent_time")
    good &= ~skipped
    msc, bid, ask = msc[good], bid[good], ask[good]
    return Chunk(make_ticks(msc, bid, ask, QUOTE), rows.rows[good], sorted(refused))
