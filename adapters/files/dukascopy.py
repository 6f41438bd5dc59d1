"""Dukascopy bi5: one hour of one symbol, `SYMBOL/YYYY/MM/DD/HHh_ticks.bi5`, times in UTC.

The month in the path counts from 0. The file is an LZMA stream of 20-byte big-endian records:
milliseconds of the hour, ask and bid in points, ask and bid size (no traded volume, left out).
An empty file is an hour without trading. LZMA streams of this kind carry no checksum, so every
record's time is checked against the hour.
"""

import lzma
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from adapters.files.assumptions import UTC_ZONE, Claims, FileOptions, settle
from adapters.files.base import QUOTE, Chunk, make_ticks
from core.errors import InputError
from core.instruments import known

_RECORD = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("sizes", ">f4", 2)])
_PATH = re.compile(r"([A-Z0-9]+)/(\d{4})/(\d{2})/(\d{2})/(\d{2})h_ticks\.bi5")
_HOUR_MSC = 3_600_000
_CHUNK_BYTES = 20 * 32_768

#: Dukascopy's digits where they are not those of currency pairs (5, or 3 against the yen).
_DIGITS = {"XAUUSD": 3, "XAGUSD": 3, "BTCUSD": 1, "ETHUSD": 1}


class DukascopyFile:
    """One hour of Dukascopy ticks."""

    format = "Dukascopy bi5"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Take symbol and hour from the path.

        Raises:
            InputError: the path is not Dukascopy's, or the symbol's price step is not known.
        """
        self.path = path
        match = _PATH.fullmatch("/".join(path.resolve().parts[-5:]))
        if not match:
            raise InputError(
                str(path), "its folders give symbol and hour: keep SYMBOL/YYYY/MM/DD/HHh_ticks.bi5"
            )
        claims = Claims("dukascopy", match[1], UTC_ZONE, "Dukascopy's description", zone_fixed=True)
        self.source, self.symbol, _, self.zone = settle(path, options, claims)
        self._hour_msc = _hour(path, match)
        self._steps = _steps_per_unit(path, match[1], options.point)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        row = 1
        for block in _records(self.path):
            late = np.flatnonzero(block["ms"] >= _HOUR_MSC)
            if len(late):
                raise InputError(
                    str(self.path),
                    f"{block['ms'][late[0]]} ms is not within its hour: damaged, fetch it again",
                    row + int(late[0]),
                )
            bid, ask = block["bid"] / self._steps, block["ask"] / self._steps
            ticks = make_ticks(self._hour_msc + block["ms"].astype(np.int64), bid, ask, QUOTE)
            yield Chunk(ticks, np.arange(row, row + len(ticks)), [])
            row += len(ticks)


def _records(path: Path) -> Iterator[np.ndarray[tuple[int], np.dtype[np.void]]]:
    """The records, some at a time; none when the file is empty."""
    if path.stat().st_size == 0:
        return
    unpacker, done, left = lzma.LZMADecompressor(lzma.FORMAT_ALONE), 0, b""
    with path.open("rb") as stream:
        while not unpacker.eof:
            packed = stream.read(_CHUNK_BYTES) if unpacker.needs_input else b""
            if unpacker.needs_input and not packed:
                raise _damaged(path, "ends in the middle of the LZMA stream", done)
            try:
                data = left + unpacker.decompress(packed, _CHUNK_BYTES)
            except lzma.LZMAError as error:
                what = "is not LZMA" if not done else "the LZMA stream breaks"
                raise _damaged(path, f"{what} ({error})", done) from error
            complete = len(data) // _RECORD.itemsize * _RECORD.itemsize
            yield np.frombuffer(data[:complete], _RECORD)
            done, left = done + complete, data[complete:]
        if left or unpacker.unused_data or stream.read(1):
            raise _damaged(path, "has bytes that are no whole record", done)


def _damaged(path: Path, what: str, done: int) -> InputError:
    return InputError(str(path), f"{what}: fetch it again", done // _RECORD.itemsize + 1)


def _hour(path: Path, match: re.Match[str]) -> int:
    year, month, day, hour = (int(match[i]) for i in (2, 3, 4, 5))
    try:
        return int(datetime(year, month + 1, day, hour, tzinfo=UTC).timestamp()) * 1000
    except ValueError as error:
        raise InputError(str(path), f"no such hour (months count from 0): {error}") from error


def _steps_per_unit(path: Path, symbol: str, point: float | None) -> float:
    """Points per unit of price: dividing by it rounds correctly, multiplying by 0.001 does not."""
    if point is not None:
        return round(1 / point, 6)
    digits = _DIGITS.get(symbol)
    entry = known().get(symbol)
    if digits is None and entry and entry[-1].session == "forex":
        digits = 3 if entry[-1].quote == "JPY" else 5
    if digits is None:
        raise InputError(
            str(path), f"Dukascopy's price step of {symbol} is not known: give --point"
        )
    return 10.0**digits
