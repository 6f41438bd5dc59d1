"""QuantConnect LEAN tick quotes: `<class>/<source>/tick/<symbol>/YYYYMMDD_quote.zip`.

The zip holds one CSV of `milliseconds since midnight,bid,ask`; fractions of a millisecond are
cut off. The date is in the zip's name, the source in its folder, the symbol in both its folder
and the CSV's name. The zone is LEAN's data zone of that source: UTC for oanda, fixed UTC-5 for
fxcm (measured: one-minute returns match UTC data only after adding five hours).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from adapters.files.assumptions import Claims, FileOptions, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Bytes, Table
from adapters.files.numbers import decimals
from adapters.files.packed import only_csv, opened
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import ColumnTimes
from adapters.files.zone import Zone
from core.errors import InputError

_TABLE = Table(",", ("milliseconds", "bid", "ask"))
_ZONES = {"oanda": Zone("UTC"), "fxcm": Zone("-05:00")}
_NAME = re.compile(r"(\d{8})_quote\.zip")
_MEMBER = re.compile(r"(\d{8})_([a-z0-9]+)_tick_quote\.csv")
_DAY_MSC = 86_400_000


class LeanFile:
    """A LEAN zip of one day's quotes."""

    format = "LEAN zip"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Find the CSV and what the path says.

        Raises:
            InputError: not a zip of one CSV, no date in the name, or something is ambiguous.
        """
        self.path = path
        self._member = only_csv(path)
        self._midnight = _midnight(path)
        self._table = _TABLE._replace(accept_cut=options.accept_cut)
        inside = _MEMBER.fullmatch(self._member)
        if inside and inside[1] != path.name[:8]:
            raise InputError(
                str(path),
                f"holds {self._member}, another day than its name says: fetch it again, or give it "
                f"the name {inside[1]}_quote.zip",
            )
        folder = path.resolve().parts
        source = folder[-4] if len(folder) > 4 and folder[-3] == "tick" else None
        owner = source or options.source or ""
        zone, why = _ZONES.get(owner), f"LEAN's zone of {owner}"
        claims = Claims(source, inside[2].upper() if inside else None, zone, why)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        columns = QuoteColumns(0, 1, 2, self._time)
        name = f"{self.path} ({self._member})"
        with opened(self.path) as stream:
            yield from quote_chunks(name, stream, self._table, columns, self._zone)

    def _time(self, column: Bytes) -> ColumnTimes:
        since, read = decimals(column)
        valid = read & (since >= 0) & (since < _DAY_MSC)
        msc = self._midnight + np.floor(np.where(valid, since, 0)).astype(np.int64)
        return ColumnTimes(msc, valid, np.zeros(len(msc), np.bool_))


def is_lean(path: Path) -> bool:
    """Whether a zip's name or its CSV's is LEAN's, or its folders are."""
    folders = path.resolve().parts
    named = _NAME.fullmatch(path.name) or (len(folders) > 4 and folders[-3] == "tick")
    return bool(named) or _MEMBER.fullmatch(only_csv(path)) is not None


def _midnight(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    try:
        day = datetime.strptime(match[1] if match else "", "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(
            str(path), "its name gives the date: keep YYYYMMDD_quote.zip (trades are not read)"
        ) from error
    return int(day.timestamp()) * 1000
