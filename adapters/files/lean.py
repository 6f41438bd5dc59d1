"""QuantConnect LEAN tick quotes: `<class>/<source>/tick/<symbol>/YYYYMMDD_quote.zip`.

The zip holds one CSV of `milliseconds since midnight,bid,ask`; fractions of a millisecond are
cut off. The date is in the zip's name, the source in its folder, the symbol in both its folder
and the CSV's name. The zone is LEAN's data zone of that source: UTC for oanda, fixed UTC-5 for
fxcm (measured: one-minute returns match UTC data only after adding five hours).
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from adapters.files.assumptions import Claims, Options, settle
from adapters.files.base import Chunk
from adapters.files.delimited import Bytes, Table
from adapters.files.numbers import decimals
from adapters.files.quotes import QuoteColumns, quote_chunks
from adapters.files.times import Reading
from adapters.files.zone import Zone
from core.errors import InputError

_TABLE = Table(",", ("milliseconds", "bid", "ask"))
_ZONES = {"oanda": Zone("UTC"), "fxcm": Zone("-05:00")}
_NAME = re.compile(r"(\d{8})_quote\.zip")
_MEMBER = re.compile(r"\d{8}_([a-z0-9]+)_tick_quote\.csv")
_DAY_MSC = 86_400_000


class LeanFile:
    """A LEAN zip of one day's quotes."""

    format = "LEAN zip"

    def __init__(self, path: Path, options: Options) -> None:
        """Find the CSV and what the path says.

        Raises:
            InputError: not a zip of one CSV, no date in the name, or something is ambiguous.
        """
        self.path = path
        self._member = _only_csv(path)
        self._midnight = _midnight(path)
        symbol = _MEMBER.fullmatch(self._member)
        folder = path.resolve().parts
        source = folder[-4] if len(folder) > 4 and folder[-3] == "tick" else None
        owner = source or options.source or ""
        zone, why = _ZONES.get(owner), f"LEAN's zone of {owner}"
        claims = Claims(source, symbol[1].upper() if symbol else None, zone, why)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        columns = QuoteColumns(0, 1, 2, self._time)
        name = f"{self.path} ({self._member})"
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._member) as stream:
                yield from quote_chunks(name, cast(BinaryIO, stream), _TABLE, columns, self._zone)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InputError(name, f"the zip is damaged ({error}): fetch it again") from error

    def _time(self, column: Bytes) -> Reading:
        since, read = decimals(column)
        valid = read & (since >= 0) & (since < _DAY_MSC)
        msc = self._midnight + np.floor(np.where(valid, since, 0)).astype(np.int64)
        return Reading(msc, valid, np.zeros(len(msc), np.bool_))


def _only_csv(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    except zipfile.BadZipFile as error:
        raise InputError(str(path), f"is not a whole zip ({error}): fetch it again") from error
    if len(names) != 1:
        raise InputError(str(path), f"holds {len(names)} CSV files where LEAN has one")
    return names[0]


def _midnight(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    try:
        day = datetime.strptime(match[1] if match else "", "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(
            str(path), "its name gives the date: keep YYYYMMDD_quote.zip (trades are not read)"
        ) from error
    return int(day.timestamp()) * 1000
