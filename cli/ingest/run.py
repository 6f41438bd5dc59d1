"""An import: every file is read wholly before anything is stored, then stored in blocks.

So a damaged or ambiguous file, wherever in the list, leaves the warehouse as it was. Blocks are
cut at fixed rows of the file and hold what the file says; the store writes of it what it lacks.

Each file is a feed of its own: identity, order and quality depend on that file alone. So the
order of files does not matter, and rows that two files share (MT5 ranges include both ends; an
hour and its day) are stored once.
"""

import difflib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.tick_store import Changed, FileOfTicks
from adapters.files.assumptions import FileOptions
from adapters.files.base import MAX_RAW, Chunk, RefusedRow, TickFile, blocks
from adapters.files.detect import open_file, reader_of
from core.contracts.tick import (
    CROSSED,
    LOCKED,
    OUT_OF_ORDER,
    SAME_MILLISECOND,
    TICK,
    QuarantineBatch,
    QuarantinedTick,
    TickArray,
)
from core.errors import InputError
from core.instruments import known
from core.quality import EARLIEST_MSC, FeedState, Normalised

BLOCK_TICKS = 262_144  # bars of a block are made at once: four small ones take half as long again
KEPT_TICKS = 2_097_152  # read while checking, and not read again: 150 MB
AT_ONCE_TICKS = BLOCK_TICKS  # of small files that are stored together
RUN_ID = MODE = "import"  # of quarantined rows: they belong to no run
FLAGS = {
    "crossed": CROSSED,
    "locked": LOCKED,
    "same ms": SAME_MILLISECOND,
    "out of order": OUT_OF_ORDER,
}
_SUFFIXES = {".parquet", ".bi5", ".zip", ".csv", ".txt", ".json", ".gz"}
_REFUSED_SHARE = 0.9  # a file with more rows refused than this is not what it seems
_LATEST_MSC = 4_102_444_800_000  # 2100-01-01 00:00 UTC
_NO_TIME = 2**62

Progress = Callable[[str, TickFile, int], None]  # ("read" or "store", file, rows so far)


class TickStore(Protocol):
    """Where ticks go. Calls return when the rows are stored; storing them again changes nothing."""

    def begin(self, file: FileOfTicks) -> None:
        """Ticks of this file follow."""
        ...

    def ticks(self, ticks: TickArray) -> None:
        """Store the next ticks of the file, dtype TICK, shape (n,)."""
        ...

    def end(self, *, refused: bool = False) -> Changed:
        """The file is through; what it changed of ticks that were stored before."""
        ...

    def together(self, files: Sequence[tuple[FileOfTicks, TickArray]]) -> bool:
        """Store whole files of one feed at once; False: something of their span is there."""
        ...

    def quarantined(self, batch: QuarantineBatch) -> None:
        """Store refused ticks."""
        ...


class IngestRules(NamedTuple):
    """What decides about a tick beside the file itself."""

    now_us: int  # the clock, microseconds UTC: later ticks are refused
    future_tolerance_us: int = 0
    complete: bool = False  # what a file lacks within its span is withdrawn


class FileResult(msgspec.Struct):
    """What became of one file."""

    path: Path
    format: str
    source: str
    symbol: str
    zone: str
    rows: int = 0
    stored: int = 0
    first_msc: int | None = None  # span of the stored ticks
    last_msc: int | None = None
    corrected: int = 0  # ticks that were stored with another content
    withdrawn: int = 0  # ticks that were stored, and a complete file lacks
    flagged: Counter[str] = msgspec.field(default_factory=Counter)  # kind -> stored ticks
    quarantined: Counter[str] = msgspec.field(default_factory=Counter)  # reason -> rows


class ImportResult(msgspec.Struct):
    """What became of all files, in the order they were given."""

    files: list[FileResult]
    skipped: list[Path]  # files in folders that are of no known format

    def beyond(self, share: float) -> list[FileResult]:
        """Files of which a larger share of rows was quarantined."""
        return [file for file in self.files if file.quarantined.total() > share * file.rows]


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


def run(
    paths: Iterable[Path],
    options: FileOptions,
    store: TickStore,
    rules: IngestRules,
    progress: Progress = lambda *_: None,
) -> ImportResult:
    """Import files and the known files of folders: `check`, then `store_all`.

    Raises:
        InputError: as these; nothing was stored unless a file changed meanwhile.
    """
    return store_all(check(paths, options, progress), store, rules, progress)


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


def store_all(
    checked: CheckedFiles,
    store: TickStore,
    rules: IngestRules,
    progress: Progress = lambda *_: None,
) -> ImportResult:
    """Store checked files, one after the other; small ones of a feed at once.

    Raises:
        InputError: a file is no longer the one that was checked.
    """
    files: list[FileResult] = []
    for group in _groups(checked.files, rules):
        stored = _together(group, store, rules, progress) if len(group) > 1 else None
        files += stored or [_store(one, store, rules, progress) for one in group]
    return ImportResult(files, checked.skipped)


def _groups(files: Sequence[Checked], rules: IngestRules) -> Iterator[list[Checked]]:
    """Neighbours of one feed that follow each other in time, as many as fit into one block.

    A file costs three questions to the warehouse, whatever its size: those of hours are dear.
    """
    group: list[Checked] = []
    for one in files:
        fits = sum(file.rows for file in group) + one.rows <= AT_ONCE_TICKS
        after = group and group[-1].feed == one.feed and group[-1].span[1] < one.span[0]
        if group and not (fits and after and one.rows and not rules.complete):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


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
    size = _size(file.path)  # before: what is changed while it is read is refused, too
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


def _size(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _together(
    group: Sequence[Checked], store: TickStore, rules: IngestRules, progress: Progress
) -> list[FileResult] | None:
    """Store files at once; None: something of their span is there already."""
    results, files, refused = [], [], []
    for one in group:
        result, kept = _result(one), [np.zeros(0, TICK)]
        for ticks, batch in _read(one, result, rules, lambda *_: None):
            kept.append(ticks)
            refused += [batch] if batch else []
        results.append(result)
        files.append((_named(one, rules), np.concatenate(kept)))
    if not store.together(files):
        return None
    for batch in refused:
        store.quarantined(batch)
    for one, result in zip(group, results, strict=True):
        progress("store", one.file, result.rows)
    return results


def _store(
    checked: Checked, store: TickStore, rules: IngestRules, progress: Progress
) -> FileResult:
    result = _result(checked)
    store.begin(_named(checked, rules))
    for kept, refused in _read(checked, result, rules, progress):
        if len(kept):
            store.ticks(kept)
        if refused:
            store.quarantined(refused)
    result.corrected, result.withdrawn = store.end(refused=bool(result.quarantined))
    return result


def _result(checked: Checked) -> FileResult:
    file = checked.file
    return FileResult(file.path, file.format, file.source, file.symbol, file.zone)


def _named(checked: Checked, rules: IngestRules) -> FileOfTicks:
    span = Span(*checked.feed, *checked.span)
    return FileOfTicks(span, checked.file.path.name, checked.digest, rules.complete)


def _read(
    checked: Checked, result: FileResult, rules: IngestRules, progress: Progress
) -> Iterator[tuple[TickArray, QuarantineBatch | None]]:
    """What is kept and what is refused, block by block; counted in `result`."""
    file = checked.file
    feed = FeedState(file.source, file.symbol)
    for block in blocks(iter(checked.kept) if checked.kept else file.chunks(), BLOCK_TICKS):
        if _size(file.path) != checked.size:
            raise InputError(str(file.path), "was changed while it was imported: import it again")
        kept, rejected = _normalise(block, feed, rules)
        refused = _quarantine_rows(block, rejected)
        batch = QuarantineBatch(RUN_ID, MODE, *checked.feed, checked.origin, refused)
        yield kept, batch if refused else None
        _count(result, block, kept, refused)
        progress("store", file, result.rows)


def _normalise(block: Chunk, feed: FeedState, rules: IngestRules) -> Normalised:
    ticks = block.ticks
    return feed.normalise(
        ticks["time_msc"],
        ticks["bid"],
        ticks["ask"],
        ticks["last"],
        ticks["volume_real"],
        ticks["flags"],
        now_us=rules.now_us,
        recv_us=ticks["time_msc"] * 1000,  # the market's time: an import receives nothing live
        future_tolerance_us=rules.future_tolerance_us,
    )


def _quarantine_rows(block: Chunk, rejected: list[tuple[int, str]]) -> list[QuarantinedTick]:
    rows = [QuarantinedTick(row.row, 0, row.reason, row.raw) for row in block.refused]
    rows += [
        QuarantinedTick(
            int(block.rows[i]), int(block.ticks["time_msc"][i]), reason, _raw(block.ticks[i])
        )
        for i, reason in rejected
    ]
    return sorted(rows, key=lambda tick: tick.row)


def _raw(tick: Any) -> str:
    names = ("time_msc", "bid", "ask", "last", "volume_real", "flags")
    return " ".join(f"{name}={tick[name]}" for name in names)[:MAX_RAW]


def _count(
    result: FileResult, block: Chunk, kept: TickArray, refused: Sequence[QuarantinedTick]
) -> None:
    result.rows += len(block.ticks) + len(block.refused)
    result.stored += len(kept)
    result.quarantined.update(tick.reason for tick in refused)
    for name, bit in FLAGS.items():
        if count := int(np.count_nonzero(kept["quality"] & bit)):
            result.flagged[name] += count
    if len(kept):
        first, last = int(kept["time_msc"].min()), int(kept["time_msc"].max())
        result.first_msc = first if result.first_msc is None else min(result.first_msc, first)
        result.last_msc = last if result.last_msc is None else max(result.last_msc, last)
