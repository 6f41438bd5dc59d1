"""Stored ticks, kept and refused: what importers write to.

What is not there yet goes in; what is there already is left as it is; what is there with another
content is a correction, committed when the file is through. An empty span costs a file one look.
"""

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
from core.tick_versions import CORRECTED, KNOWN, NEW, KnownArray

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
        self._file, self._counts, writer = file, [0, 0], self._writer
        self._held = np.zeros(0, TICK)
        self._pending: list[tuple[KnownArray, KnownArray]] = []
        self._mentioned: list[np.ndarray] = []
        self._known_us = self._corrections.known_us(file.span.source, file.span.symbol)
        self._said_us = self._first_said()
        span = file.span
        self._fresh = not (
            stored_ticks.anything(writer, [span.source], [span.symbol], *span[2:])
            or stored_ticks.any_withdrawn(writer)
        )

    def ticks(self, ticks: TickArray) -> None:
        """Store the next ticks of the file, dtype TICK, shape (n,)."""
        if self._fresh:
            self._insert(tick_versions.as_known(ticks))
            return
        ticks = np.concatenate([self._held, ticks])
        last = ticks["time_msc"] == ticks["time_msc"].max(initial=0)
        self._held = ticks[last]  # its millisecond may go on in the next block
        self._compare(ticks[~last])

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

    def _first_said(self) -> int:
        """When the first import of this very file began."""
        span, digest = self._file.span, self._file.digest
        first = self._writer.ask(
            "SELECT toUnixTimestamp64Micro(min(ts_known)) FROM tick_file WHERE "
            "source = {source:String} AND symbol = {symbol:String} AND digest = {digest:String}",
            {"source": span.source, "symbol": span.symbol, "digest": digest},
        )
        if int(first):
            return int(first)
        self._writer.insert(
            "tick_file",
            [
                Column("source", TEXT, span.source),
                Column("symbol", TEXT, span.symbol),
                Column("digest", "String", [digest]),
                Column("ts_known", TIME, self._known_us),
                Column("name", "String", self._file.name),
                Column("author", TEXT, self._author),
            ],
        )
        return self._known_us

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
        span = self._file.span._replace(first_msc=int(times.min()), last_msc=int(times.max()))
        stored = stored_ticks.read(self._writer, span, times)
        decision = tick_versions.decide(arrived, stored, self._said_us)
        corrected = decision.verdict == CORRECTED
        if corrected.any():
            before = stored.ticks[decision.of[corrected]]
            after = tick_versions.changed(arrived, stored, decision, self._known_us)
            self._pending.append((before, after))
        arrived["seq"] = decision.seq
        self._insert(arrived[decision.verdict == NEW])
        if self._file.complete:
            self._mentioned.append(arrived[["time_msc", "seq"]].copy())
        if sum(len(after) for _, after in self._pending) >= _MOST_CHANGES:
            self._commit()

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
