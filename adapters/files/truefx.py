"""TrueFX ticks as published: `EUR/USD,YYYYMMDD HH:MM:SS.mmm,bid,ask`, no header.

The symbol is in every row; times are GMT by the vendor's description.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapters.files.assumptions import UTC_ZONE, Claims, FileOptions, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Table
from adapters.files.packed import opened
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Layout, read_times

PATTERN = re.compile(rb"([A-Z]{3})/([A-Z]{3}),")  # the start of a row as published
_TABLE = Table(",", ("symbol", "time", "bid", "ask"))
_LAYOUTS = (Layout("YYYYmmdd HH:MM:SS.fff"),)


class TrueFxFile:
    """A TrueFX file as published. Rows of another pair are refused."""

    format = "TrueFX"

    def __init__(self, path: Path, options: FileOptions) -> None:
        self.path = path
        self._table = _TABLE._replace(accept_cut=options.accept_cut)
        with opened(path) as stream:
            pair = PATTERN.search(stream.read(4096))
        symbol = (pair[1] + pair[2]).decode() if pair else None
        claims = Claims("truefx", symbol, UTC_ZONE, "TrueFX's description")
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        written = f"{self.symbol[:3]}/{self.symbol[3:]}".encode()
        columns = QuoteColumns(1, 2, 3, partial(read_times, layouts=_LAYOUTS), (0, written))
        with opened(self.path) as stream:
            yield from quote_chunks(str(self.path), stream, self._table, columns, self._zone)
