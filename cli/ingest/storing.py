"""Checked files (`checking.py`) are stored in blocks, and small ones of a feed at once.

Blocks are cut at fixed rows of the file and hold what the file says; the store writes of it what it
lacks. Each file is a feed of its own: identity, order and quality depend on that file alone. So the
order of files does not matter, and rows that two files share (MT5 ranges include both ends; an hour
and its day) are stored once.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.tick_store import Changed, FileOfTicks
from adapters.files.base import MAX_RAW, Chunk, blocks
from cli.ingest.checking import Checked, CheckedFiles, size_of
from cli.ingest.results import FLAGS, FileResult, ImportResult, Progress
from core.contracts.tick import (
    TICK,
    QuarantineBatch,
    QuarantinedTick,
    TickArray,
)
from core.errors import InputError
from core.quality import FeedState, Normalised

BLOCK_TICKS = 262_144  # bars of a block are made at once: four small ones take half as long again
AT_ONCE_TICKS = BLOCK_TICKS  # of small files that are stored together
RUN_ID = MODE = "import"  # of quarantined rows: they belong to no run


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
        if size_of(file.path) != checked.size:
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
