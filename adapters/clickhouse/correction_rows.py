"""Corrections as rows: what is said of one, its versions, and what follows from it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adapters.clickhouse.native import PRICE, TEXT, TIME, Column
from core.instruments import trading_day
from core.tick_versions import KnownArray

_EPOCH_DAY = np.datetime64("1970-01-01")
_HOUR_MSC = 3_600_000
#: What is made of ticks, beside bars, and is looked at again after a correction.
FOLLOWING = ("feature", "label", "check", "mart", "report")


class Said(NamedTuple):
    """By what and whom ticks were changed."""

    origin: str  # file name and start of its hash, or feed
    author: str
    reason: str = ""


class Correction(NamedTuple):
    """Ticks of one feed that one file, feed or command changed."""

    source: str
    symbol: str
    said: Said
    firsts: KnownArray  # version 0 of those that had never changed
    versions: KnownArray  # the next versions, by identity

    @property
    def correction_id(self) -> str:
        """The same for the same changes said by the same file, feed or command."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update("\0".join((self.source, self.symbol, self.said.origin)).encode())
        bare = self.versions.copy()
        bare["ts_known_us"] = 0
        digest.update(bare.tobytes())
        return digest.hexdigest()

    @property
    def withdrawn(self) -> int:
        """Ticks taken back."""
        return int(np.count_nonzero(self.versions["withdrawn"]))

    @property
    def corrected(self) -> int:
        """Ticks with another content, or that came back."""
        return len(self.versions) - self.withdrawn

    def by_day(self) -> dict[str, KnownArray]:
        """Its versions by trading day (ISO)."""
        hours = self.versions["time_msc"] // _HOUR_MSC
        days = {int(h): trading_day(int(h) * 3_600_000_000).isoformat() for h in np.unique(hours)}
        named = np.array([days[int(h)] for h in hours])
        return {day: self.versions[named == day] for day in sorted(set(days.values()))}


def correction_columns(correction: Correction, name: str) -> list[Column]:
    """Its row of `correction`; `name` is its id."""
    times = correction.versions["time_msc"]
    return [
        Column("correction_id", "String", [name]),
        Column("source", TEXT, correction.source),
        Column("symbol", TEXT, correction.symbol),
        Column("ts_known", TIME, int(correction.versions["ts_known_us"].max())),
        Column("ts_first", TIME, int(times.min()) * 1000),
        Column("ts_last", TIME, int(times.max()) * 1000),
        Column("corrected", "UInt64", correction.corrected),
        Column("withdrawn", "UInt64", correction.withdrawn),
        Column("origin", "String", correction.said.origin),
        Column("author", TEXT, correction.said.author),
        Column("reason", "String", correction.said.reason),
    ]


def version_columns(source: str, symbol: str, ticks: KnownArray, name: str) -> list[Column]:
    """Rows of `tick_version`; `name`: the correction that brought them, empty for first ones."""
    kinds = np.where(ticks["withdrawn"] == 1, "withdrawal", "correction" if name else "first")
    return [
        *_said(source, symbol, ticks),
        Column("ts_recv", TIME, ticks["ts_recv_us"]),
        Column("ts_known", TIME, ticks["ts_known_us"]),
        Column("version", "UInt32", ticks["version"].astype("<u4")),
        Column("kind", TEXT, kinds.tolist()),
        Column("correction_id", TEXT, name),
    ]


def tick_columns(source: str, symbol: str, ticks: KnownArray) -> list[Column]:
    """Rows of `tick`, with when they became known."""
    known_us = ticks["ts_known_us"]
    return [
        *_said(source, symbol, ticks),
        Column("recv_after_us", "Int64", ticks["ts_recv_us"] - ticks["time_msc"] * 1000),
        Column("ts_noted", TIME, np.where(known_us == ticks["ts_recv_us"], 0, known_us)),
    ]


def _said(source: str, symbol: str, ticks: KnownArray) -> list[Column]:
    """What source and quality rules say of ticks."""
    return [
        Column("source", TEXT, source),
        Column("symbol", TEXT, symbol),
        Column("ts_event", TIME, ticks["time_msc"] * 1000),
        Column("seq", "UInt32", ticks["seq"]),
        *(Column(name, PRICE, ticks[name]) for name in ("bid", "ask", "last")),
        Column("volume", "Float64", ticks["volume"]),
        Column("flags", "UInt16", ticks["flags"]),
        Column("quality", "UInt16", ticks["quality"]),
    ]


class Restated(NamedTuple):
    """A row of `restatement`; `before` and `after` are JSON."""

    what: str
    subject: str
    day: str
    status: str
    rows: int
    before: str = ""
    after: str = ""


def restatement_columns(
    feed: tuple[str, str], name: str, rows: Sequence[Restated], at_us: int
) -> list[Column]:
    """Rows of `restatement` of one correction."""
    days = np.array([row.day for row in rows], "M8[D]") - _EPOCH_DAY
    texts: Mapping[str, list[str]] = {
        field: [getattr(row, field) for row in rows] for field in ("before", "after", "subject")
    }
    return [
        Column("correction_id", "String", name),
        Column("what", TEXT, [row.what for row in rows]),
        Column("subject", "String", texts["subject"]),
        Column("trading_day", "Date", days.astype("<u2")),
        Column("source", TEXT, feed[0]),
        Column("symbol", TEXT, feed[1]),
        Column("status", TEXT, [row.status for row in rows]),
        Column("ts_changed", TIME, at_us),
        Column("rows", "UInt64", np.array([row.rows for row in rows], "<u8")),
        Column("before", "String", texts["before"]),
        Column("after", "String", texts["after"]),
    ]
