"""Whether files can be imported: each is read wholly before anything is stored.

So a damaged or ambiguous file, wherever in the list, leaves the warehouse as it was.
"""

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.files.assumptions import FileOptions
from adapters.files.base import Chunk, RefusedRow, TickFile
from adapters.files.detect import open_file, reader_of
from cli.ingest.results import Progress
from core.errors import InputError
from core.instruments import known
from core.quality import EARLIEST_MSC

KEPT_TICKS = 2_097_152  # read while checking, and not read again: 150 MB
_SUFFIXES = {".parquet", ".bi5", ".zip", ".csv", ".txt", ".json", ".gz"}
_REFUSED_SHARE = 0.9  # a file with more rows refused than this is not what it seems
_LATEST_MSC = 4_102_444_800_000  # 2100-01-01 00:00 UTC
_NO_TIME = 2**62


class Checked(NamedTuple):
    """A file that was read wholly without fault."""

    file: TickFile
    digest: str  # of its bytes
    span: tuple[int, int]  # first and last time in it, Unix milliseconds
    size: tuple[int, int]  # bytes and time of change, to notice one
    rows: int
    kept: Sequence[Chunk]  # all of it, or nothing: then it is read again

    @property
    def feed(self) -> tuple[str, str]:
        """Source and symbol."""
        return self.file.source, self.file.symbol

    @property
    def origin(self) -> str:
        """File name and the start of its hash."""
        return f"{self.file.path.name}:{self.digest[:8]}"


class CheckedFiles(NamedTuple):
    """All files, ready to be stored."""

    files: list[Checked]
    skipped: list[Path]


def check(
    paths: Iterable[Path], options: FileOptions, progress: Progress = lambda *_: None
) -> CheckedFiles:
    """Read every file from end to end.

    Raises:
        InputError: a file is missing, damaged, ambiguous, not what it seems, of a symbol that is
            not known, or has times in another unit.
    """
    chosen, skipped = expand(paths)
    files = [open_file(path, *options) for path in chosen]
    for option in ("source", "symbol", "tz"):
        _refuse_relabelling(chosen, options, option)
    for file in files:
        _refuse_unknown(file)
    checked, room = list[Checked](), KEPT_TICKS
    for file in files:
        checked.append(_check(file, progress, room))
        room -= checked[-1].rows if checked[-1].kept else 0
    return CheckedFiles(checked, skipped)


def expand(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Files to import, each once, and files of folders that are of no known format.

    Raises:
        InputError: a path does not exist, or nothing is left to import.
    """
    chosen: dict[Path, Path] = {}
    skipped: list[Path] = []
    for path in paths:
        if not path.is_dir():
            chosen.setdefault(path.resolve(), path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        for file in inside:
            if file.suffix.lower() in _SUFFIXES and reader_of(file):
                chosen.setdefault(file.resolve(), file)
            else:
                skipped.append(file)
        if not any(file.resolve() in chosen for file in inside):
            raise InputError(str(path), "holds no file of a known format")
    return list(chosen.values()), skipped


def _refuse_relabelling(paths: Sequence[Path], options: FileOptions, option: str) -> None:
    """An option fills in what files do not say, or corrects what all of them say alike.

    Anything else would store one feed under another's name: two brokers would mix.
    """
    given = getattr(options, option)
    if given is None:
        return
    stated = {path: _stated(path, _without(options, option), option) for path in paths}
    if len(set(stated.values())) == 1:
        return
    for path, value in stated.items():
        if value not in (None, given):
            raise InputError(
                str(path), f"says {value}, not {given}: import it without --{option}, or by itself"
            )


def _without(options: FileOptions, option: str) -> FileOptions:
    return FileOptions(**{**options._asdict(), option: None})


def _stated(path: Path, options: FileOptions, option: str) -> str | None:
    try:
        file = open_file(path, *options)
    except InputError:  # it opened with the option, so this is what it does not say
        return None
    values = {"source": file.source, "symbol": file.symbol, "tz": file.zone.partition(" (")[0]}
    return values[option]


def _refuse_unknown(file: TickFile) -> None:
    if file.symbol in known():
        return
    like = difflib.get_close_matches(file.symbol, [*known()], 1)
    meant = f"--symbol {like[0]} if it is that one" if like else "--symbol NAME if it has another"
    raise InputError(
        str(file.path),
        f"{file.symbol} is no instrument known here: give {meant}, or describe it "
        "(tickhouse instruments --help)",
    )


def _refuse_other_unit(file: TickFile, first_msc: int, last_msc: int) -> None:
    """Times that are all impossible as milliseconds, and not as another unit."""
    for unit, msc in (("seconds", 1000), ("microseconds", 1e-3), ("nanoseconds", 1e-6)):
        wrong = last_msc < EARLIEST_MSC or first_msc > _LATEST_MSC
        if wrong and EARLIEST_MSC <= first_msc * msc <= last_msc * msc <= _LATEST_MSC:
            raise InputError(
                str(file.path),
                f"its times look like {unit} ({first_msc}) where {file.format} has milliseconds: "
                "convert them",
            )


def _check(file: TickFile, progress: Progress, room: int) -> Checked:
    """Read a whole file, and keep it if it has no more than `room` rows; raise what is wrong."""
    size = size_of(file.path)  # before: what is changed while it is read is refused, too
    rows, refused = 0, Counter[str]()
    kept: list[Chunk] = []
    first: RefusedRow | None = None
    first_msc, last_msc = _NO_TIME, -_NO_TIME
    for chunk in file.chunks():
        first_msc = int(chunk.ticks["time_msc"].min(initial=first_msc))
        last_msc = int(chunk.ticks["time_msc"].max(initial=last_msc))
        rows += len(chunk.ticks) + len(chunk.refused)
        kept.append(chunk)
        if rows > room:
            kept.clear()
        refused.update(row.reason for row in chunk.refused)
        first = first or (chunk.refused[0] if chunk.refused else None)
        progress("read", file, rows)
    if first and refused.total() > _REFUSED_SHARE * rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in refused.items())
        raise InputError(
            str(file.path),
            f"of {rows} rows {reasons}, this one first: {first.raw[:120]!r}; it is not whole or "
            f"not {file.format} of {file.symbol}",
            first.row,
        )
    _refuse_other_unit(file, first_msc, last_msc)
    span = (first_msc, last_msc)
    return Checked(file, _digest(file.path), span, size, rows, kept)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()[:32]


def size_of(path: Path) -> tuple[int, int]:
    """Bytes and time of change, to notice one."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
