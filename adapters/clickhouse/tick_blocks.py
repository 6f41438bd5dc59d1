"""Blocks of ticks from the streams into `tick`: what is new goes in, what is stored stays.

A block may hold several feeds, and may come twice after a crash. Nearly all are wholly new: then
one look is all they cost, and they are stored byte for byte as they came. A tick that is stored
with another content is a correction, which most live feeds may not make: it goes to quarantine.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.clickhouse import stored_ticks
from adapters.clickhouse.correction_rows import Correction, Said
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.native import Column, coded
from adapters.clickhouse.rows import as_stored, quarantine_columns, received_us
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.writer import Writer
from core import tick_versions
from core.contracts.tick import QuarantineBatch, QuarantinedTick
from core.quality import CORRECTION
from core.tick_versions import CORRECTED, KNOWN, NEW, Decision, KnownArray, Stored

_EVER = -(2**62)  # whatever a feed repeats it may have said first
_LOOK_AGAIN_S = 10.0

Mask = npt.NDArray[np.bool_]


class FeedPolicy(NamedTuple):
    """Whose ticks these are, and which sources may correct stored ones."""

    run_id: str
    mode: str
    author: str
    may_correct: Callable[[str], bool]


class TickBlocks:
    """Inserts blocks of `tick`, in order. Belongs to the writer's thread."""

    def __init__(self, writer: Writer, corrections: Corrections, policy: FeedPolicy) -> None:
        self._writer, self._corrections, self._policy = writer, corrections, policy
        self._withdrawn, self._looked_s = False, float("-inf")

    def insert(self, columns: Sequence[Column], token: str | None) -> None:
        """Store a block of columns as `rows.tick_columns` makes them. Raises as Writer.insert."""
        columns = as_stored(columns)
        of = {column.name: column.values for column in columns}
        times: npt.NDArray[np.int64] = of["ts_event"] // 1000  # type: ignore[operator, assignment]
        feeds = _feeds(columns, times)
        with self._corrections.turns.turn({feed.span.source for feed in feeds}):
            if not (touched := self._touched(feeds)):
                self._writer.insert("tick", columns, token)
                return
            changes = self._compare(columns, _known(columns, times), touched, token)
        for change in changes:
            self._correct(*change)

    def _touched(self, feeds: Sequence["_Feed"]) -> list["_Feed"]:
        """Those whose ticks have to be compared with stored ones: of nearly all blocks none."""
        if self._any_withdrawn():
            return [*feeds]
        there = stored_ticks.touched(self._writer, [feed.span for feed in feeds])
        return [feed for feed in feeds if feed.span[:2] in there]

    def _compare(
        self,
        columns: Sequence[Column],
        known: KnownArray,
        touched: Sequence["_Feed"],
        token: str | None,
    ) -> list[tuple[str, str, KnownArray]]:
        """Store what is new; what is to be corrected, by feed, whole milliseconds."""
        new = np.ones(len(known), np.bool_)
        changes: list[tuple[str, str, KnownArray]] = []
        for (source, symbol, *_), here in touched:
            decision, _ = self._decided(source, symbol, known[here])
            new[here] = decision.verdict == NEW
            known["seq"][here] = np.where(new[here], decision.seq, known["seq"][here])
            corrected = known[here][decision.verdict == CORRECTED]
            if len(corrected) and not self._policy.may_correct(source):
                self._refuse(source, symbol, corrected)
            elif len(corrected):
                beside = np.isin(known["time_msc"][here], corrected["time_msc"])
                changes.append((source, symbol, known[here][beside]))
        if new.any():
            self._writer.insert("tick", _only(columns, new, known["seq"]), token)
        return changes

    def _correct(self, source: str, symbol: str, ticks: KnownArray) -> None:
        with self._corrections.alone():
            decision, stored = self._decided(source, symbol, ticks)  # nobody changes it from here
            before = stored.ticks[decision.of[decision.verdict == CORRECTED]]
            if not len(before):
                return
            known_us = self._corrections.known_us(source, symbol)
            after = tick_versions.changed(ticks, stored, decision, known_us)
            order = np.lexsort((after["seq"], after["time_msc"]))
            said = Said(f"{self._policy.mode} {self._policy.run_id}", self._policy.author)
            firsts = tick_versions.firsts(before[order])
            self._corrections.commit(Correction(source, symbol, said, firsts, after[order]))

    def _refuse(self, source: str, symbol: str, ticks: KnownArray) -> None:
        """Each is named by what it says, so that a block that comes twice is refused once."""
        texts = [_text(tick) for tick in ticks]
        rows = [
            QuarantinedTick(seq + 1, msc, CORRECTION, text)
            for msc, seq, text in zip(
                ticks["time_msc"].tolist(), ticks["seq"].tolist(), texts, strict=True
            )
        ]
        run_id, mode = self._policy.run_id, self._policy.mode
        batch = QuarantineBatch(run_id, mode, source, symbol, "", rows)
        named = Column("origin", "String", [f"{run_id}:{text}" for text in texts])
        columns = quarantine_columns(batch, int(ticks["ts_recv_us"].max()))
        columns = [named if column.name == "origin" else column for column in columns]
        self._writer.insert("tick_quarantine", columns)

    def _decided(self, source: str, symbol: str, ticks: KnownArray) -> tuple[Decision, Stored]:
        times = ticks["time_msc"]
        span = Span(source, symbol, int(times.min()), int(times.max()))
        stored = stored_ticks.read(self._writer, span, times)
        return tick_versions.decide(ticks, stored, _EVER, self._own(stored)), stored

    def _own(self, stored: Stored) -> Mask:
        """Which may be of this very pass. In a replay they are known when the market said them."""
        own: Mask = stored.ticks["ts_known_us"] == stored.ticks["time_msc"] * 1000
        return own & (self._policy.mode == "replay")

    def _any_withdrawn(self) -> bool:
        """Known for a while, once it is so for ever."""
        if not self._withdrawn and time.monotonic() - self._looked_s > _LOOK_AGAIN_S:
            self._withdrawn = stored_ticks.any_withdrawn(self._writer)
            self._looked_s = time.monotonic()
        return self._withdrawn


def _known(columns: Sequence[Column], times: npt.NDArray[np.int64]) -> KnownArray:
    of: dict[str, Any] = {column.name: column.values for column in columns}
    known = np.zeros(len(times), KNOWN)
    known["time_msc"], known["version"] = times, -1
    for name in ("seq", "flags", "quality", "bid", "ask", "last", "volume"):
        known[name] = of[name]
    known["ts_recv_us"] = known["ts_known_us"] = received_us(columns)
    return known


class _Feed(NamedTuple):
    """A feed's part of a block: its first and last millisecond, and the places of its rows."""

    span: Span
    here: npt.NDArray[np.intp]


def _feeds(columns: Sequence[Column], times: npt.NDArray[np.int64]) -> list[_Feed]:
    """Each feed of a block, by name."""
    (sources, source_of), (symbols, symbol_of) = (coded(c.values, len(times)) for c in columns[:2])
    pair_of = source_of * len(symbols) + symbol_of
    order = np.argsort(pair_of, kind="stable")
    feeds = []
    for here in np.split(order, np.flatnonzero(np.diff(pair_of[order])) + 1):
        one, other = divmod(int(pair_of[here[0]]), len(symbols))
        first, last = int(times[here].min()), int(times[here].max())
        feeds.append(_Feed(Span(sources[one], symbols[other], first, last), here))
    return sorted(feeds, key=lambda feed: feed.span)


def _only(columns: Sequence[Column], kept: Mask, seq: npt.NDArray[np.uint32]) -> list[Column]:
    return [replace(c, values=_taken(seq if c.name == "seq" else c.values, kept)) for c in columns]


def _taken(values: Any, kept: Mask) -> Any:
    if isinstance(values, str | int | float):
        return values
    if isinstance(values, np.ndarray):
        return values[kept]
    return [value for value, taken in zip(values, kept.tolist(), strict=True) if taken]


def _text(tick: Any) -> str:
    prices = ",".join(str(tick_versions.price(tick[name])) for name in ("bid", "ask", "last"))
    return f"{tick['time_msc']},{prices},{tick['volume']}"
