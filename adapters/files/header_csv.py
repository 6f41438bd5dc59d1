"""Quotes with a header: ISO 8601, Dukascopy's own CSV, or Unix milliseconds.

Columns are found by name, between commas or semicolons (then a comma may stand in numbers too).
ISO times have an optional fraction and an optional offset; without one the zone is not known,
unless the header states it (`Gmt time`, `Time (UTC)`). The file says its source only by a
header of Dukascopy's or a folder named `truefx`, and its symbol only by a name that begins with
one.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapters.files.assumptions import UTC_ZONE, Claims, FileOptions, known_symbol, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Table
from adapters.files.packed import opened
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Layout, read_epoch, read_times
from adapters.files.zone import Zone
from core.errors import InputError

_BIDS, _ASKS = ("bid", "bidprice", "bid_price"), ("ask", "askprice", "ask_price")
_TIMES = ("timestamp", "time", "datetime", "date", "gmt time", "local time")
_STATED = re.compile(r"(gmt)? ?time(?: \((\w+)\))?")
_OFFSETS = ("", "+zz:ww", "+zzww", "+zz", "Z")
_FRACTIONS = ("", *("." + "f" * digits for digits in range(1, 10)))
_LAYOUTS = tuple(
    Layout(f"{day}_HH:MM:SS{fraction}{offset}")
    for day in ("YYYY-mm-dd", "YYYY.mm.dd", "dd.mm.YYYY")
    for fraction in _FRACTIONS
    for offset in (*_OFFSETS, " G~T+zzww")
)
_OFFSET = re.compile(rb":\d\d(\.\d+)?(Z|( GMT)?[+-]\d\d(:?\d\d)?)([,;]|\s|$)")
_EPOCH = re.compile(rb"\d{9,18}")


class HeaderQuotesFile:
    """A CSV of quotes whose first line names its columns."""

    format = "quotes CSV"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Read the header and the first row.

        Raises:
            InputError: a column is missing, or source, symbol or zone is not known.
        """
        self.path = path
        with opened(path) as stream:
            header, row = stream.readline(1000), stream.readline(500)
        separator, names = columns_of(header)
        at, bid, ask = (_index(path, names, wanted) for wanted in (_TIMES, _BIDS, _ASKS))
        time = row.strip().split(separator.encode())[at] if row.strip() else b""
        epoch = _EPOCH.fullmatch(time) is not None
        read = read_epoch if epoch else partial(read_times, layouts=_LAYOUTS)
        self._columns = QuoteColumns(at, bid, ask, read, decimal_comma=separator == ";")
        self._table = Table(separator, names, header=True, accept_cut=options.accept_cut)
        claims = _claims(path, names, at, epoch, _OFFSET.search(row) is not None)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        with opened(self.path) as stream:
            path = str(self.path)
            yield from quote_chunks(path, stream, self._table, self._columns, self._zone)


def columns_of(header: bytes) -> tuple[str, tuple[str, ...]]:
    """The separator of a header line and the names in it, in small letters."""
    text = header.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").strip().lower()
    separator = ";" if text.count(";") > text.count(",") else ","
    return separator, tuple(name.strip().strip('"') for name in text.split(separator))


def fits(header: bytes) -> bool:
    """Whether a first line names columns of quotes."""
    _, names = columns_of(header)
    prices = {*_BIDS, *_ASKS} & {*names}
    return "timestamp" in names or bool(prices and any(map(_is_time, names)))


def _is_time(name: str) -> bool:
    return name in _TIMES or _STATED.fullmatch(name) is not None


def _index(path: Path, names: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    for i, name in enumerate(names):
        if name in wanted or (wanted is _TIMES and _is_time(name)):
            return i
    raise InputError(str(path), f"column {wanted[0]} is missing; it has {', '.join(names)}", 1)


def _claims(path: Path, names: tuple[str, ...], time: int, epoch: bool, offsets: bool) -> Claims:
    ours = "bidvolume" in names and "askvolume" in names
    folders = (part.lower() for part in path.resolve().parts)
    source = "dukascopy" if ours else "truefx" if "truefx" in folders else None
    stated = _STATED.fullmatch(names[time])
    zone = (stated[1] or stated[2] or "").upper() if stated else ""
    symbol = known_symbol(path.name)
    if epoch or offsets:
        why = "Unix milliseconds are UTC" if epoch else "offsets in the rows"
        return Claims(source, symbol, UTC_ZONE, why, zone_fixed=True)
    if zone:
        return Claims(source, symbol, Zone("UTC" if zone == "GMT" else zone), "its header")
    return Claims(source, symbol, None, "no offsets in the rows")
