"""Quotes with a header and ISO 8601 times: how TrueFX and others are often passed on.

Columns `timestamp`, `bid`, `ask`, found by name. Times have an optional fraction and an optional
offset; without an offset the zone is not known. The file says no source but for a folder named
`truefx`, and its symbol only by a name that begins with one.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapters.files.assumptions import UTC_ZONE, Claims, Options, known_symbol, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Table
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Layout, read_times
from core.errors import InputError

_NAMES = ("timestamp", "bid", "ask")
_LAYOUTS = tuple(
    Layout(f"YYYY-mm-dd_HH:MM:SS{fraction}{offset}")
    for fraction in ("", ".fff", ".ffffff", ".fffffffff")
    for offset in ("", "+zz:ww", "Z")
)
_OFFSET = re.compile(rb"\d(Z|[+-]\d\d:\d\d)(,|\s|$)")


class IsoQuoteFile:
    """A CSV of quotes with ISO 8601 times."""

    format = "ISO quotes CSV"

    def __init__(self, path: Path, options: Options) -> None:
        """Read the header and the first row.

        Raises:
            InputError: a column is missing, or source, symbol or zone is not known.
        """
        self.path = path
        with path.open("rb") as stream:
            header = stream.readline(1000).removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
            stated = _OFFSET.search(stream.readline(200)) is not None
        names = tuple(header.strip().split(","))
        if missing := [name for name in _NAMES if name not in names]:
            raise InputError(str(path), f"column {', '.join(missing)} is missing", 1)
        self._table = Table(",", names, header=True)
        time, bid, ask = map(names.index, _NAMES)
        self._columns = QuoteColumns(time, bid, ask, partial(read_times, layouts=_LAYOUTS))
        source = "truefx" if "truefx" in (p.lower() for p in path.resolve().parts) else None
        why = "offsets in the rows" if stated else "no offsets in the rows"
        zone = UTC_ZONE if stated else None
        claims = Claims(source, known_symbol(path.name), zone, why, zone_fixed=stated)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with self.path.open("rb") as stream:
            path = str(self.path)
            yield from quote_chunks(path, stream, self._table, self._columns, self._zone)
