"""MT5's own tick export: tab-separated, `<DATE> <TIME> <BID> <ASK> <LAST> <VOLUME> <FLAGS>`.

An empty BID, ASK or LAST means unchanged and is carried forward, as the terminal does; an empty
VOLUME means that nothing traded. Times are the broker's server time, which the file does not
name, and neither does it name the broker. The symbol is in the name the terminal proposes
(`EURUSD_202211100000_202211102359.csv`).
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.files.assumptions import Claims, FileOptions, settle
from adapters.files.base import Chunk, Floats, RefusedRow, make_ticks
from adapters.files.delimited import Bytes, Fields, Table, fields
from adapters.files.numbers import decimals
from adapters.files.packed import opened
from adapters.files.times import Layout, Mask, read_times
from adapters.files.zone import LocalClock
from core.errors import InputError

_NAMES = ("<DATE>", "<TIME>", "<BID>", "<ASK>", "<LAST>", "<VOLUME>", "<FLAGS>")
_EXPORT_NAME = re.compile(r"(.+)_\d{12}_\d{12}")
_read_dates = partial(read_times, layouts=(Layout("YYYY.mm.dd"),))
_read_clock = partial(read_times, layouts=(Layout("HH:MM:SS.fff"), Layout("HH:MM:SS")))


class Mt5TabFile:
    """A tick export of an MT5 terminal."""

    format = "MT5 export"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Read the header.

        Raises:
            InputError: a column is missing, or broker, symbol or zone is not known.
        """
        self.path = path
        with opened(path) as stream:
            header = stream.readline(1000).removeprefix(b"\xef\xbb\xbf").strip().split(b"\t")
        names = tuple(name.decode(errors="replace") for name in header)
        if missing := [name for name in _NAMES if name not in names]:
            raise InputError(str(path), f"column {', '.join(missing)} is missing: export again", 1)
        self._table = Table("\t", names, header=True, accept_cut=options.accept_cut)
        self._at = [names.index(name) for name in _NAMES]
        name = _EXPORT_NAME.match(path.name)
        why = "MT5 exports are in the broker's server time and do not name its zone"
        claims = Claims(None, name[1] if name else None, None, why)
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        clock, carried = LocalClock(self._zone), (_Carried(), _Carried(), _Carried())
        with opened(self.path) as stream:
            for rows, refused in fields(str(self.path), stream, self._table):
                yield self._chunk(rows, refused, clock, carried)

    def _chunk(
        self,
        rows: Fields,
        refused: list[RefusedRow],
        clock: LocalClock,
        carried: tuple["_Carried", ...],
    ) -> Chunk:
        date, time, bid, ask, last, volume, flags = (rows.column(at) for at in self._at)
        day, since, prices = _read_dates(date), _read_clock(time), [*map(_filled, (bid, ask, last))]
        traded, (bits, bits_read) = _filled(volume), decimals(flags)
        good = day.valid & since.valid & bits_read & (bits >= 0) & (bits < 2**16)
        for number in (*prices, traded):
            good &= number.read | number.empty
        msc, skipped = clock.read(day.msc + since.msc, good)
        refused = refused + rows.refuse(~good) + rows.refuse(skipped, "nonexistent_time")
        good &= ~skipped
        full = [c.fill(n.values[good], n.empty[good]) for c, n in zip(carried, prices, strict=True)]
        ticks = make_ticks(msc[good], full[0], full[1], bits[good], full[2], traded.values[good])
        return Chunk(ticks, rows.rows[good], sorted(refused))


class _Filled(NamedTuple):
    values: Floats  # 0 where empty
    read: Mask
    empty: Mask


def _filled(column: Bytes) -> _Filled:
    count = column.shape[1]
    empty = column[0] == 0 if len(column) else np.ones(count, np.bool_)
    values, read = np.zeros(count), np.zeros(count, np.bool_)
    if not empty.all():
        values[~empty], read[~empty] = decimals(column[:, ~empty])
    return _Filled(values, read, empty)


class _Carried:
    """The last price of one column. Before the first it is 0, as the terminal shows then."""

    def __init__(self) -> None:
        self._price = 0.0

    def fill(self, values: Floats, empty: Mask) -> Floats:
        """The column with each empty field replaced by the price before it."""
        latest = np.maximum.accumulate(np.where(empty, -1, np.arange(len(values))))
        filled: Floats = np.where(latest < 0, self._price, values[latest])
        if len(filled):
            self._price = float(filled[-1])
        return filled
