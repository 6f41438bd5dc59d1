"""Ticks as MT4 tools write them: `YYYY.MM.DD HH:MM:SS.mmm,bid,ask,bid volume,ask volume`.

No header, and nothing says source, symbol or zone. The last two columns are quoted sizes, not
traded volume, and are left out.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapters.files.assumptions import Claims, FileOptions, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Table
from adapters.files.packed import opened
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Layout, read_times

PATTERN = re.compile(rb"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d\.\d{3},")  # the start of a row
_TABLE = Table(",", ("time", "bid", "ask", "bid volume", "ask volume"))
_COLUMNS = QuoteColumns(0, 1, 2, partial(read_times, layouts=(Layout("YYYY.mm.dd HH:MM:SS.fff"),)))


class Mt4File:
    """An MT4-style tick file."""

    format = "MT4-style CSV"

    def __init__(self, path: Path, options: FileOptions) -> None:
        self.path = path
        self._table = _TABLE._replace(accept_cut=options.accept_cut)
        claims = Claims(None, None, None, "MT4-style files name no zone")
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with opened(self.path) as stream:
            yield from quote_chunks(str(self.path), stream, self._table, _COLUMNS, self._zone)
