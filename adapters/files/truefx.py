"""TrueFX ticks, as published and as often reformatted.

Published: `EUR/USD,YYYYMMDD HH:MM:SS.mmm,bid,ask`, no header; the symbol is in every row and
times are GMT by the vendor's description. Reformatted: header `timestamp,bid,ask` and ISO 8601
times, with or without a fraction and an offset; without an offset the zone is not known.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapters.files.assumptions import UTC_ZONE, Options, Said, known_symbol, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Table
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Layout, read_times
from adapters.files.zone import Zone

PATTERN = re.compile(rb"([A-Z]{3})/([A-Z]{3}),")  # the start of a row as published
_TABLE = Table(",", ("symbol", "time", "bid", "ask"))
_LAYOUTS = (Layout("YYYYmmdd HH:MM:SS.fff"),)
_ISO_TABLE = Table(",", ("timestamp", "bid", "ask"), header=True)
_ISO_LAYOUTS = tuple(
    Layout(f"YYYY-mm-dd_HH:MM:SS{fraction}{offset}")
    for fraction in ("", ".fff", ".ffffff", ".fffffffff")
    for offset in ("", "+zz:ww", "Z")
)
_ISO_COLUMNS = QuoteColumns(0, 1, 2, partial(read_times, layouts=_ISO_LAYOUTS))
_OFFSET = re.compile(rb"(Z|[+-]\d\d:\d\d),")


class TrueFxFile:
    """A TrueFX file as published. Rows of another pair are refused."""

    format = "TrueFX"

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        with path.open("rb") as stream:
            pair = PATTERN.search(stream.read(4096))
        symbol = (pair[1] + pair[2]).decode() if pair else None
        said = Said("truefx", symbol, Zone("UTC"), "TrueFX's description")
        self.source, self.symbol, self._zone, self.zone = settle(path, options, said)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        written = f"{self.symbol[:3]}/{self.symbol[3:]}".encode()
        columns = QuoteColumns(1, 2, 3, partial(read_times, layouts=_LAYOUTS), (0, written))
        with self.path.open("rb") as stream:
            yield from quote_chunks(str(self.path), stream, _TABLE, columns, self._zone)


class IsoQuoteFile:
    """A reformatted file. It says TrueFX only by its folder, the symbol only by its name."""

    format = "ISO quotes CSV"

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        source = "truefx" if "truefx" in (part.lower() for part in path.parts) else None
        with path.open("rb") as stream:
            stream.readline()
            stated = _OFFSET.search(stream.readline(200)) is not None
        zone, why = (
            (UTC_ZONE, "offsets in the rows") if stated else (None, "no offsets in the rows")
        )
        said = Said(source, known_symbol(path.name), zone, why, zone_fixed=stated)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, said)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with self.path.open("rb") as stream:
            path = str(self.path)
            yield from quote_chunks(path, stream, _ISO_TABLE, _ISO_COLUMNS, self._zone)
