"""Which reader reads a file: told by its content first, by its name where content cannot tell."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from adapters.files import (
    binance,
    dukascopy,
    header_csv,
    histdata,
    lean,
    mt4_csv,
    mt5_json,
    mt5_tab,
    truefx,
)
from adapters.files.assumptions import FileOptions
from adapters.files.base import TickFile
from adapters.files.packed import GZIP, ZIP, opened
from core.errors import InputError

Reader = Callable[[Path, FileOptions], TickFile]

KNOWN = (
    "normalised parquet, MT5 tick export, MT5 JSON recording, Dukascopy bi5, HistData ASCII, "
    "TrueFX, quotes with a header, LEAN quote zip, MT4-style CSV, "
    "Binance dump; texts also gzipped or zipped"
)
_SNIFF_BYTES = 4096
_SNIFF_LINES = 20
_ROWS: tuple[tuple[Callable[[bytes], object], Reader], ...] = (
    (histdata.PATTERN.match, histdata.HistDataFile),
    (truefx.PATTERN.match, truefx.TrueFxFile),
    (mt4_csv.PATTERN.match, mt4_csv.Mt4File),
)


def open_file(
    path: Path,
    source: str | None = None,
    symbol: str | None = None,
    tz: str | None = None,
    point: float | None = None,
    accept_cut: bool = False,
) -> TickFile:
    """The reader of a file, opened far enough to know source, symbol and zone.

    Raises:
        InputError: missing, empty, of no known format, damaged, or ambiguous; the message names
            the option that settles it.
    """
    reader = reader_of(path)
    if reader is None:
        raise InputError(str(path), f"is of no format known here ({KNOWN})")
    return reader(path, FileOptions(source, symbol, tz, point, accept_cut))


def reader_of(path: Path) -> Reader | None:
    """The reader for a file, or None when it is of no known format.

    Raises:
        InputError: the file cannot be opened, is empty, or is compressed or encoded in a way
            that has to be undone first.
    """
    if path.suffix == ".bi5":  # empty ones have a meaning, so the name decides
        _start_of(path)
        return dukascopy.DukascopyFile
    start = _start_of(path)
    if not start:
        raise InputError(str(path), "is empty")
    if start.startswith(b"PAR1") or path.suffix == ".parquet":
        return _parquet
    if binance.NAME.fullmatch(path.name):
        return binance.BinanceFile
    if start.startswith(ZIP) or path.suffix == ".zip":
        return _reader_of_zip(path)
    return _reader_of_text(path, _unpacked(path) if start.startswith(GZIP) else start)


def _reader_of_zip(path: Path) -> Reader | None:
    """A zip is LEAN's by its name or by its folders, else what its only CSV is."""
    if lean.is_lean(path):
        return lean.LeanFile
    return _reader_of_text(path, _unpacked(path))


def _unpacked(path: Path) -> bytes:
    with opened(path) as stream:
        return stream.read(_SNIFF_BYTES)


def _reader_of_text(path: Path, start: bytes) -> Reader | None:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(str(path), "is UTF-16 text; convert it (iconv -f UTF-16 -t UTF-8)", 1)
    text = start.removeprefix(b"\xef\xbb\xbf")
    first = text.split(b"\n", 1)[0].strip()
    if b"<DATE>" in first or (b"<BID>" in first and b"\t" in first):
        return mt5_tab.Mt5TabFile
    if header_csv.fits(first):
        return header_csv.HeaderQuotesFile
    if text.lstrip().startswith(b"{") and b'"metadata"' in text:
        return mt5_json.Mt5JsonFile
    for line in islice(text.split(b"\n"), _SNIFF_LINES):
        for matches, reader in _ROWS:
            if matches(line):
                return reader
    return None


def _parquet(path: Path, options: FileOptions) -> TickFile:
    from adapters.files.parquet import ParquetFile  # pyarrow loads only when it is needed

    return ParquetFile(path, options)


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_SNIFF_BYTES)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
