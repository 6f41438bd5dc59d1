"""Stored ticks, kept and refused: what importers write to.

What is not there yet goes in; what is there already is left as it is; what is there with another
content is a correction, committed when the file is through. An empty span costs a file one look.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.clickhouse import stored_ticks
from adapters.clickhouse.correction_rows import Correction, Said, tick_columns
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import quarantine_columns
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.writer import Writer
from core import tick_versions
from core.contracts.tick import TICK, QuarantineBatch, TickArray
from core.tick_versions import CORRECTED, KNOWN, NEW, Decision, KnownArray, Stored

_BEFORE = Path(__file__).with_name("before_file.sql").read_text()
_MOST_CHANGES = 1_000_000  # of one correction; a file with more makes several
_SLICE = 65_536
_DAY_MSC = 86_400_000


class FileOfTicks(NamedTuple):
    """A file whose ticks follow."""

    span: Span  # at least that of its ticks
    name: str
    digest: str  # of all its bytes
    complete: bool = False  # what it lacks within its ticks' span is withdrawn

    @property
    def origin(self) -> str:
        """Name and start of the digest, as it stands in rows."""
        return f"{self.name}:{self.digest[:8]}"


class _Before(NamedTuple):
    """What there is before a file: latest_us, when something was last said of the feed; said_us,
    when this file was, 0: never; anything: of its span, or ticks that were withdrawn.
    """

    latest_us: int
    said_us: int
    anything: bool


class Changed(NamedTuple):
    """What a file changed of stored ticks."""

    corrected: int
    withdrawn: int


class ClickhouseTickStore:
    """Tables `tick` and `tick_quarantine`. Calls return when the rows are stored; they retry
    while the warehouse does not answer, and raise WarehouseError when it refuses.

    Args:
        author, reason: of corrections.
    """

    def __init__(
        self, writer: Writer, corrections: Corrections, author: str, reason: str = ""
    ) -> None:
        self._writer, self._corrections = writer, corrections
        self._author, self._reason = author, reason

    def begin(self, file: FileOfTicks) -> None:
        """Ticks of this file follow, up to `end`."""
        self._file, self._counts, self._fresh = file, [0, 0], False
        self._held = np.zeros(0, TICK)
        self._pending: list[tuple[KnownArray, KnownArray]] = []
        self._mentioned: list[np.ndarray] = []
        with self._corrections.turns.turn([self._file.span.source]):
            self._know()

    def ticks(self, ticks: TickArray) -> None:
        """Store the next ticks of the file, dtype TICK, shape (n,)."""
        if self._fresh and self._stored_unseen(ticks):
            return
        self._fresh = False
        ticks = np.concatenate([self._held, ticks])
        last = ticks["time_msc"] == ticks["time_msc"].max(initial=0)
        self._held = ticks[last]  # its millisecond may go on in the next block
        self._compare(ticks[~last])

    def _stored_unseen(self, ticks: TickArray) -> bool:
        """Store them as they are, if nobody else stored anything since nothing was there."""
        with self._corrections.turns.turn([self._file.span.source]) as others:
            if others and self._anything():
                return False
            self._insert(tick_versions.as_known(ticks))
            return True

    def _anything(self) -> bool:
        return bool(stored_ticks.touched(self._writer, [self._file.span]))

    def quarantined(self, batch: QuarantineBatch) -> None:
        """Store refused ticks. They were never received live, so `ts_recv` is their own time."""
        received_us = max((tick.time_msc for tick in batch.ticks), default=0) * 1000
        columns = quarantine_columns(batch, min(max(received_us, 0), _LATEST_US))
        self._writer.insert("tick_quarantine", columns)

    def end(self, *, refused: bool = False) -> Changed:
        """The file is through: what it changed is committed.

        Args:
            refused: rows of it could not be taken. Then nothing tells what it lacks.
        """
        self._compare(self._held)
        if self._mentioned and not refused:
            self._withdraw_unmentioned()
        self._commit()
        return Changed(*self._counts)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    def together(self, files: Sequence[tuple[FileOfTicks, TickArray]]) -> bool:
        """Store whole files of one feed at once, if nothing of their span is there yet.

        Args:
            files: none of them complete, no millisecond in two of them, in the order of time.

        Returns:
            False: something is there, or a file is a known one, and nothing was done; give them
            one by one.
        """
        named = [file for file, _ in files]
        first, last = named[0].span, named[-1].span
        span = first._replace(last_msc=last.last_msc)
        with self._corrections.turns.turn([span.source]):
            before = self._before(span, named)
            if before.anything or before.said_us:
                return False
            said_us = self._corrections.known_after(before.latest_us)
            known_us = [said_us + place for place in range(len(named))]
            self._name_files(span, named, known_us)
            parts = []
            for (_, ticks), said in zip(files, known_us, strict=True):
                parts.append(tick_versions.as_known(ticks))
                parts[-1]["ts_known_us"] = said
            known = np.concatenate(parts)
            if len(known):
                self._writer.insert("tick", tick_columns(span.source, span.symbol, known))
        return True

    def _before(self, span: Span, files: Sequence[FileOfTicks]) -> "_Before":
        """What there is already, in one question."""
        digests = stored_ticks.texts(file.digest for file in files)
        answer = self._writer.ask(_BEFORE, {**span._asdict(), "digests": digests}).split()
        latest_us, said_us, anything, withdrawn = map(int, answer)
        return _Before(latest_us, said_us, bool(anything or withdrawn))

    def _know(self) -> None:
        """What there is already; and this file's name, if it is a new one."""
        before = self._before(self._file.span, [self._file])
        self._known_us = self._corrections.known_after(before.latest_us)
        self._said_us = before.said_us or self._known_us
        self._fresh = not before.anything
        if not before.said_us:
            self._name_files(self._file.span, [self._file], [self._known_us])

    def _name_files(self, span: Span, files: Sequence[FileOfTicks], known_us: list[int]) -> None:
        self._writer.insert(
            "tick_file",
            [
                Column("source", TEXT, span.source),
                Column("symbol", TEXT, span.symbol),
                Column("digest", "String", [file.digest for file in files]),
                Column("ts_known", TIME, np.array(known_us, np.int64)),
                Column("name", "String", [file.name for file in files]),
                Column("author", TEXT, self._author),
            ],
        )

    def _insert(self, known: KnownArray) -> None:
        if len(known):
            known["ts_known_us"] = self._known_us
            span = self._file.span
            self._writer.insert("tick", tick_columns(span.source, span.symbol, known))

    def _compare(self, ticks: TickArray) -> None:
        if not len(ticks):
            return
        arrived = tick_versions.as_known(ticks)
        times = arrived["time_msc"]
        if self._pending and times.min() <= max(
            after["time_msc"].max() for _, after in self._pending
        ):
            self._commit()  # rows out of order: what they are compared with has to be stored
        with self._corrections.turns.turn([self._file.span.source]):
            stored, decision = self._stored_new(arrived)
        corrected = decision.verdict == CORRECTED
        if corrected.any():
            before = stored.ticks[decision.of[corrected]]
            after = tick_versions.changed(arrived, stored, decision, self._known_us)
            self._pending.append((before, after))
        if self._file.complete:
            arrived["seq"] = decision.seq
            self._mentioned.append(arrived[["time_msc", "seq"]].copy())
        if sum(len(after) for _, after in self._pending) >= _MOST_CHANGES:
            self._commit()

    def _stored_new(self, arrived: KnownArray) -> tuple[Stored, Decision]:
        """Store those that are new, under a seq of their own; what was there, and what they are."""
        times = arrived["time_msc"]
        span = self._file.span._replace(first_msc=int(times.min()), last_msc=int(times.max()))
        stored = stored_ticks.read(self._writer, span, times)
        own = stored.ticks["ts_known_us"] == self._known_us
        decision = tick_versions.decide(arrived, stored, self._said_us, own)
        new = arrived[decision.verdict == NEW]
        new["seq"] = decision.seq[decision.verdict == NEW]
        self._insert(new)
        return stored, decision

    def _commit(self) -> None:
        if not self._pending:
            return
        before = np.concatenate([old for old, _ in self._pending])
        after = np.concatenate([new for _, new in self._pending])
        self._pending = []
        order = np.lexsort((after["seq"], after["time_msc"]))
        said = Said(self._file.origin, self._author, self._reason)
        span, firsts = self._file.span, tick_versions.firsts(before[order])
        correction = Correction(span.source, span.symbol, said, firsts, after[order])
        self._corrections.commit(correction)
        self._counts[0] += correction.corrected
        self._counts[1] += correction.withdrawn

    def _withdraw_unmentioned(self) -> None:
        mentioned = np.concatenate(self._mentioned)
        mentioned = mentioned[np.lexsort((mentioned["seq"], mentioned["time_msc"]))]
        for first, last in _slices(mentioned["time_msc"]):
            span = self._file.span._replace(first_msc=first, last_msc=last)
            ticks = stored_ticks.all_of(self._writer, span).ticks
            here = mentioned[slice(*np.searchsorted(mentioned["time_msc"], (first, last + 1)))]
            said = np.zeros(len(here), KNOWN)
            said["time_msc"], said["seq"] = here["time_msc"], here["seq"]
            gone = ticks[(tick_versions.positions(said, ticks) < 0) & (ticks["withdrawn"] == 0)]
            if len(gone):
                self._pending.append((gone, tick_versions.withdrawn(gone, self._known_us)))
            if sum(len(after) for _, after in self._pending) >= _MOST_CHANGES:
                self._commit()


def _slices(times: np.ndarray) -> list[tuple[int, int]]:
    """Spans that together are that of these times, none longer than a day or with many of them."""
    first, last = int(times[0]), int(times[-1])
    cuts = {*times[::_SLICE].tolist(), *range(first, last + 1, _DAY_MSC), last + 1}
    ordered = sorted(cuts)
    return [(ordered[n], ordered[n + 1] - 1) for n in range(len(ordered) - 1)]


_LATEST_US = 4_102_444_800_000_000  # 2100-01-01; a refused time may lie anywhere
