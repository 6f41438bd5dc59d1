"""HistData.com ASCII ticks: `YYYYMMDD HHMMSSmmm,bid,ask,volume`, no header.

Times are Eastern Standard Time without summer time (always UTC-5), by the vendor's description.
The volume column is no traded volume (0, 25 or 2147483647 occur) and is left out.
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
from adapters.files.zone import Zone

PATTERN = re.compile(rb"\d{8} \d{9},")  # the start of a row
_TABLE = Table(",", ("time", "bid", "ask", "volume"))
_COLUMNS = QuoteColumns(0, 1, 2, partial(read_times, layouts=(Layout("YYYYmmdd HHMMSSfff"),)))
_NAME = re.compile(r"DAT_ASCII_([A-Z]{6})_T")


class HistDataFile:
    """A HistData ASCII tick file. The symbol is in its original name (`DAT_ASCII_EURUSD_T_...`)."""

    format = "HistData ASCII"

    def __init__(self, path: Path, options: FileOptions) -> None:
        self.path = path
        self._table = _TABLE._replace(accept_cut=options.accept_cut)
        name = _NAME.match(path.name)
        claims = Claims(
            "histdata", name[1] if name else None, Zone("EST"), "HistData's description"
        )
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with opened(self.path) as stream:
            yield from quote_chunks(str(self.path), stream, self._table, _COLUMNS, self._zone)
