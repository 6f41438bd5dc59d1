"""Binance's public dumps: `SYMBOL-bookTicker-DATE`, `-trades-` and `-aggTrades-`, csv, gz or zip.

Times are Unix milliseconds, in newer spot files microseconds. Spot files have no header, futures'
have one. A trade names no quote: bid and ask are its price, so trades are a source of their own
(`binance-trades`), in which nothing pays a spread.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.files.assumptions import UTC_ZONE, Claims, FileOptions, settle
from adapters.files.base import BUY, LAST, SELL, VOLUME, Chunk, RefusedRow, make_ticks
from adapters.files.delimited import Bytes, Fields, Table, equal, fields
from adapters.files.numbers import decimals
from adapters.files.packed import opened
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Mask, read_epoch
from adapters.files.zone import Zone
from core.errors import InputError

NAME = re.compile(r"([A-Z0-9]{5,20})-(bookTicker|trades|aggTrades)-[\d-]+\.(csv|zip|csv\.gz|gz)")
_read_time = partial(read_epoch, microseconds=True)


class _Trades(NamedTuple):
    """Where a row of trades holds what."""

    price: int
    quantity: int
    time: int
    buyer_is_maker: int  # then the seller was the aggressor


_TRADES = {"trades": _Trades(1, 2, 4, 5), "aggTrades": _Trades(1, 2, 5, 6)}
_QUOTES = QuoteColumns(5, 1, 3, _read_time)


class BinanceFile:
    """A dump of book tickers or trades."""

    format = "Binance dump"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Take symbol and kind from the name, the shape from the first line.

        Raises:
            InputError: fewer columns than such a dump has, or an option is no name.
        """
        self.path = path
        name = NAME.fullmatch(path.name)
        if name is None:
            raise InputError(str(path), "keep Binance's name: SYMBOL-trades-DATE.csv")
        self._trades = _TRADES.get(name[2])
        with opened(path) as stream:
            names = stream.readline(1000).decode(errors="replace").strip().split(",")
        needed = max(self._trades or (6,)) + (1 if self._trades else 0)
        if len(names) < needed:
            raise InputError(str(path), f"{len(names)} columns where {needed} are needed", 1)
        header = not names[0].isdigit()
        self._table = Table(",", tuple(names), header, options.accept_cut)
        source = "binance-trades" if self._trades else "binance"
        claims = Claims(source, name[1], UTC_ZONE, "Binance's description", zone_fixed=True)
        self.source, self.symbol, _, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with opened(self.path) as stream:
            path = str(self.path)
            if self._trades is None:
                yield from quote_chunks(path, stream, self._table, _QUOTES, Zone("UTC"))
                return
            for rows, refused in fields(path, stream, self._table):
                yield _trades_of(rows, refused, self._trades)


def _trades_of(rows: Fields, refused: list[RefusedRow], at: _Trades) -> Chunk:
    time = _read_time(rows.column(at.time))
    price, price_read = decimals(rows.column(at.price))
    quantity, quantity_read = decimals(rows.column(at.quantity))
    sold, bought = _true(rows.column(at.buyer_is_maker))
    good = time.valid & price_read & quantity_read & (sold | bought)
    flags = LAST | VOLUME | np.where(sold, SELL, BUY)[good]
    price = price[good]
    ticks = make_ticks(time.msc[good], price, price, flags, price, quantity[good])
    return Chunk(ticks, rows.rows[good], sorted(refused + rows.refuse(~good)))


def _true(column: Bytes) -> tuple[Mask, Mask]:
    small = column | np.uint8(0x20) * (column > 0)
    return equal(small, b"true"), equal(small, b"false")
