"""The one road by which a stored tick changes: versions, then the tick, then what is made of it.

Every step may be repeated, and the last one says that all were done. So a kill anywhere is mended
by `finish`, which the next import and the next start run. Whoever may not delete leaves bars to
those who may; that the row before leaves `tick` is the one delete anybody who corrects may ask for.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from json import dumps, loads
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.clickhouse import bars_restated, light_deletes
from adapters.clickhouse.correction_rows import (
    FOLLOWING,
    Correction,
    Restated,
    Said,
    correction_columns,
    restatement_columns,
    tick_columns,
    version_columns,
)
from adapters.clickhouse.tick_turns import TickTurns
from adapters.clickhouse.writer import Writer
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.crashpoint import reach
from core.errors import WarehouseError
from core.file_lock import locked
from core.tick_versions import KNOWN, KnownArray

ACTION = "correct ticks"
_VERSIONS = Path(__file__).with_name("versions_of.sql").read_text() + " FORMAT RowBinary"
_MARKED = np.dtype([("own", "u1"), ("tick", KNOWN)])
_LOCK_S = 600.0
#: What a recorder, who else may not delete, may ask for word for word (warehouse/access).
LEAVE_OUT = (
    f"{Path(__file__).with_name('superseded_ticks.sql').read_text()} SETTINGS {light_deletes.NOTED}"
)
_ACCESS_DENIED = 497
_NOT_GRANTED = (
    "the warehouse does not grant ALTER DELETE ON tick: of %s %s the row of before stands beside"
    " the corrected one for who reads without FINAL, until somebody who may delete starts or"
    " imports; to grant it: containers/clickhouse-roles.sql"
)
_log = logging.getLogger(__name__)
_UNFINISHED = Path(__file__).with_name("unfinished_corrections.sql").read_text()


class _Begun(NamedTuple):
    """A correction whose versions are stored, and what `tick` has to show of them."""

    correction: Correction
    name: str  # its id
    newest: KnownArray
    resumed: bool = False  # somebody began it before


class Corrections:
    """Commits corrections in one warehouse.

    Args:
        writer: signed in; without `restates` it needs to insert, and to ask for LEAVE_OUT.
        home: whose audit trail tells of corrections, and whose lock lets one in at a time.
        clock: when things become known.
        process: names crash points.
        restates: whether it may delete, and so makes bars again.
        waits: see TickTurns.
    """

    def __init__(
        self, writer: Writer, home: Path, clock: Clock, process: str, *, restates: bool,
        waits: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._writer, self._home, self._clock = writer, home, clock
        self._process, self._restates = process, restates
        self.turns = TickTurns(writer, home, waits)

    def alone(self, timeout_s: float = _LOCK_S) -> AbstractContextManager[None]:
        """Nobody else of this home changes stored ticks meanwhile. Raises BusyError."""
        return locked(self._home / "ticks.lock", timeout_s)

    def known_us(self, source: str, symbol: str) -> int:
        """Now, microseconds UTC, and later than anything that was said of this feed before."""
        latest = self._writer.ask(
            "SELECT max(us) FROM (SELECT toUnixTimestamp64Micro(ts_known) AS us FROM correction "
            "WHERE source = {source:String} AND symbol = {symbol:String} UNION ALL "
            "SELECT toUnixTimestamp64Micro(ts_known) FROM tick_file "
            "WHERE source = {source:String} AND symbol = {symbol:String})",
            {"source": source, "symbol": symbol},
        )
        return self.known_after(int(latest))

    def known_after(self, latest_us: int) -> int:
        """Now, and later than what was said last."""
        return max(self._clock.now_us(), latest_us + 1)

    def commit(self, correction: Correction) -> str:
        """Store a correction and what follows from it; its id. Call within `alone`.

        Raises:
            BusyError: another home stores ticks of the source.
            WarehouseError: the warehouse refused; `finish` goes on from where it stood.
        """
        self.turns.claim([correction.source])
        name, feed = correction.correction_id, (correction.source, correction.symbol)
        self._write_row(correction, name)
        self._reach("correction")
        if len(correction.firsts):
            self._insert("tick_version", version_columns(*feed, correction.firsts, ""))
        self._insert("tick_version", version_columns(*feed, correction.versions, name))
        self._reach("versions")
        self._settle(_Begun(correction, name, correction.versions))
        return name

    def finish(self) -> int:
        """Complete what was begun and not ended; how many corrections. Call within `alone`."""
        rows = [
            loads(line)
            for line in self._writer.ask(f"{_UNFINISHED} FORMAT JSONEachRow").splitlines()
        ]
        for row in rows:
            self._resume(row)
        return len(rows)

    def _resume(self, row: Mapping[str, str]) -> None:
        names = ("correction_id", "source", "symbol", "first_us", "last_us")
        answer = self._writer.ask(_VERSIONS, {name: row[name] for name in names})
        marked = np.frombuffer(answer, _MARKED)
        said = Said(row["origin"], row["author"], row["reason"])
        own = marked["tick"][marked["own"] == 1]
        if not len(own):  # killed before it changed anything
            self._forget(row["correction_id"])
            return
        newest = marked["tick"][_last_of_each(marked["tick"])]
        correction = Correction(row["source"], row["symbol"], said, own[:0], own)
        self._write_row(correction, row["correction_id"])  # counts what there is
        self._settle(_Begun(correction, row["correction_id"], newest, resumed=True))

    def _forget(self, name: str) -> None:
        self._writer.ask(
            "INSERT INTO correction SELECT * REPLACE (0 AS corrected, 0 AS withdrawn) "
            "FROM correction FINAL WHERE correction_id = {name:String}",
            {"name": name},
        )

    def _settle(self, begun: _Begun) -> None:
        correction, name = begun.correction, begun.name
        kept = self._restatements(name)
        before = self._bars_before(begun, kept)
        self._reach("begun")
        self._show(begun)
        self._reach("ticks")
        days = correction.by_day()
        missing = [
            Restated(what, "*", day, "pending", len(ticks))
            for day, ticks in days.items()
            for what in FOLLOWING
            if (what, day) not in kept
        ]
        self._note(begun)
        self._restated(begun, missing)
        self._reach("following")
        if self._restates:
            self._make_bars(begun, before)
            self._reach("bars")

    def _bars_before(
        self, begun: _Begun, kept: Mapping[tuple[str, str], str]
    ) -> dict[str, bars_restated.Bars]:
        """Bars as they were, written down before a tick changes: its new price moves them."""
        before, new = {}, []
        for day, ticks in begun.correction.by_day().items():
            if ("bar", day) in kept:
                before[day] = loads(kept["bar", day])
                continue
            before[day] = self._bars(begun, ticks)
            new.append(Restated("bar", "bar", day, "pending", len(ticks), dumps(before[day])))
        self._restated(begun, new)
        return before

    def _show(self, begun: _Begun) -> None:
        """Make table `tick` say what the newest versions say."""
        source, symbol = begun.correction.source, begun.correction.symbol
        gone = begun.newest["withdrawn"] == 1
        if not gone.all():
            self._insert("tick", tick_columns(source, symbol, begun.newest[~gone]))
        try:
            self._leave_out(begun)
        except WarehouseError as error:
            if self._restates or error.code != _ACCESS_DENIED:
                raise
            _log.warning(_NOT_GRANTED, source, symbol)
        if self._restates:
            light_deletes.write_in(self._writer, "tick", begun.newest["time_msc"])

    def _leave_out(self, begun: _Begun) -> None:
        """Rows that said something else before, which `tick` would show to who reads it plainly."""
        correction, times = begun.correction, begun.newest["time_msc"]
        given: dict[str, str | int] = {"source": correction.source, "symbol": correction.symbol}
        given |= {"first_us": int(times.min()) * 1000, "last_us": int(times.max()) * 1000}
        self._writer.ask(LEAVE_OUT, given | {"correction_id": begun.name})

    def _make_bars(self, begun: _Begun, before: Mapping[str, bars_restated.Bars]) -> None:
        source, symbol = begun.correction.source, begun.correction.symbol
        bars_restated.restate(self._writer, source, symbol, begun.newest["time_msc"])
        self._reach("restated")
        done = []
        for day, ticks in begun.correction.by_day().items():
            after = self._bars(begun, ticks)
            changed = sorted({*before[day], *after})
            changed = [bar for bar in changed if before[day].get(bar) != after.get(bar)]
            old = {bar: before[day].get(bar) for bar in changed}
            new = {bar: after.get(bar) for bar in changed}
            done.append(Restated("bar", "bar", day, "done", len(changed), dumps(old), dumps(new)))
        self._restated(begun, done)

    def _bars(self, begun: _Begun, ticks: KnownArray) -> bars_restated.Bars:
        source, symbol = begun.correction.source, begun.correction.symbol
        return bars_restated.bars(self._writer, source, symbol, ticks["time_msc"])

    def _note(self, begun: _Begun) -> None:
        """An event of the audit trail, once."""
        correction, name = begun.correction, begun.name
        if begun.resumed and self._is_noted(name):
            return
        feed = f"{correction.symbol} of {correction.source}"
        counts = {"corrected": correction.corrected, "withdrawn": correction.withdrawn}
        times = correction.versions["time_msc"]
        line = AuditLine(
            ts_us=self._clock.now_us(), by=correction.said.author, authenticated=False,
            action=ACTION, subject=name, reason=correction.said.reason,
            detail=f"{feed}: {counts['corrected']} corrected, {counts['withdrawn']} withdrawn",
            payload=counts | {
                "source": correction.source, "symbol": correction.symbol,
                "origin": correction.said.origin, "first_msc": int(times.min()),
                "last_msc": int(times.max()),
            },
        )  # fmt: skip
        audit_log.append(self._home, line)

    def _is_noted(self, name: str) -> bool:
        events = audit_log.read(audit_log.path_in(self._home))
        return any(event.action == ACTION and event.subject == name for event in events)

    def _restatements(self, name: str) -> dict[tuple[str, str], str]:
        answer = self._writer.ask(
            "SELECT what, toString(trading_day) AS day, before FROM restatement FINAL "
            "WHERE correction_id = {name:String} FORMAT JSONEachRow",
            {"name": name},
        )
        rows = map(loads, answer.splitlines())
        return {(row["what"], row["day"]): row["before"] for row in rows}

    def _restated(self, begun: _Begun, rows: list[Restated]) -> None:
        feed = (begun.correction.source, begun.correction.symbol)
        if rows:
            at_us = self._clock.now_us()
            self._insert("restatement", restatement_columns(feed, begun.name, rows, at_us))

    def _write_row(self, correction: Correction, name: str) -> None:
        self._insert("correction", correction_columns(correction, name))

    def _insert(self, table: str, columns: list) -> None:  # type: ignore[type-arg]
        self._writer.insert(table, columns)

    def _reach(self, place: str) -> None:
        reach(f"{self._process}.{place}.after")


def _last_of_each(ticks: KnownArray) -> np.ndarray:
    """Which are followed by no other version of the same tick; they are in order."""
    same = (ticks["time_msc"][1:] == ticks["time_msc"][:-1]) & (
        ticks["seq"][1:] == ticks["seq"][:-1]
    )
    return np.append(~same, True)
