"""What the account of a backtest could lose, minute by minute: the stream's fold in this process.

Ticks and what execution tells of positions go into `streams.portfolio_risk.RiskFold` as they do in
a replay, so the rows are a replay's. They are kept as columns, and written as a Parquet file per
table: SQL reads them there, for a backtest has no warehouse.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from adapters.clickhouse.native import Column
from core.contracts.order import AccountState, ExecutionMarker, PositionState
from core.contracts.risk import MarketRisk
from core.contracts.tick import TickBatch, TickMarker
from core.sections import RiskSettings, RunSettings
from execution.replay_slices import Slice
from streams.portfolio_risk import Market, RiskFold, RiskRows
from streams.risk_rows import risk_rows
from streams.rows import Rows, merge

Change = AccountState | PositionState | ExecutionMarker
#: Figures of the account that people ask for first.
CONFIDENCE, HORIZON = 0.99, "1d"
_MOMENTS = 500  # turned into columns together


class Greatest(NamedTuple):
    """The most that a measure ever said of an account: 99 %, a day, account currency."""

    measure: str
    value_at_risk: float
    expected_shortfall: float
    ts_us: int


class RiskFigures:
    """Figures of one job: of the market, for limits, and of the account, for people.

    Args:
        run: of the job.
        settings: how to measure.
        market: gives execution the figures that limits need; None when none is set.
        kept: whether figures of the account are wanted; they take longer than all else.
    """

    def __init__(
        self, run: RunSettings, settings: RiskSettings, market: Market | None, *, kept: bool
    ) -> None:
        self._run, self._market = run, market
        self._fold = RiskFold(run, replace(settings, published=False)) if kept else None
        self._waiting: list[RiskRows] = []
        self._parts: dict[str, list[Rows]] = {}

    def slice(self, part: Slice) -> list[MarketRisk]:
        """Take a slice's ticks; what the stream would publish of its minutes."""
        run = self._run
        for (source, symbol), arrays in part.ticks.items():
            for ticks in arrays:
                batch = TickBatch(
                    run.run_id, run.mode, source, symbol, 0, part.number, ticks.tobytes()
                )
                self._take(batch)
        if self._fold:
            self._fold.marker(TickMarker(run.run_id, "slice", part.number, part.end_us))
        return list(self._market.until(part.end_us, part.number)) if self._market else []

    def _take(self, batch: TickBatch) -> None:
        if self._market:
            self._market.feed(batch)
        if self._fold:
            self._fold.ticks(batch)

    def handled(self, changes: Iterable[Change]) -> None:
        """Take what execution told of a slice, then say what was held in it."""
        if self._fold is None:
            return
        for message in changes:
            self._fold.event(message)
        self._waiting += self._fold.rows()
        if len(self._waiting) >= _MOMENTS:
            self._columns()

    def warm_up(self, part: Slice) -> None:
        """A slice of before the span: nothing is held, and nobody trades."""
        self.slice(part)
        self.handled([ExecutionMarker(self._run.run_id, part.number, part.end_us)])

    def tables(self) -> tuple[Rows, ...]:
        """All rows so far, of each table that has any."""
        self._columns()
        return tuple(merge(parts) for parts in self._parts.values())

    def _columns(self) -> None:
        waiting, self._waiting = self._waiting, []
        for rows in risk_rows(waiting):
            self._parts.setdefault(rows.table, []).append(rows)


def greatest(tables: Sequence[Rows]) -> list[Greatest]:
    """Of each measure, of the account as a whole; none when nothing was held."""
    rows = next((one for one in tables if one.table == "value_at_risk"), None)
    if rows is None:
        return []
    known: dict[str, Any] = {c.name: np.asarray(c.values) for c in rows.columns}
    wanted = (known["strategy"] == "") & (known["horizon"] == HORIZON)
    wanted &= known["confidence"] == CONFIDENCE
    most = []
    for measure in dict.fromkeys(known["measure"].tolist()):
        places = np.flatnonzero(wanted & (known["measure"] == measure))
        at = places[known["value_at_risk"][places].argmax()]
        var, es = (float(known[name][at]) for name in ("value_at_risk", "expected_shortfall"))
        most.append(Greatest(measure, var, es, int(known["ts_event"][at])))
    return most


def write(jobs: Sequence[tuple[str, Sequence[Rows]]], folder: Path) -> list[Path]:
    """`<table>.parquet` for each table that has rows, columns named as there; and the job's name.

    Several jobs may be of one account name, so each row says in `job` whose it is.
    """
    parts: dict[str, list[pa.Table]] = {}
    for job, tables in jobs:
        for rows in tables:
            parts.setdefault(rows.table, []).append(_arrow(job, rows))
    paths = []
    for table, pieces in parts.items():
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(folder / f"{table}.parquet")
        pq.write_table(pa.concat_tables(pieces), paths[-1])
    return paths


def _arrow(job: str, rows: Rows) -> pa.Table:
    columns = {c.name: _array(c, rows.size) for c in rows.columns}
    return pa.table({"job": pa.array([job] * rows.size).dictionary_encode(), **columns})


def _array(column: Column, size: int) -> pa.Array:
    values: Any = column.values
    if isinstance(values, str | int | float):
        values = [values] * size
    if column.type.startswith("DateTime64"):
        return pa.array(values, pa.timestamp("us", "UTC"))
    if column.type == "Bool":
        return pa.array(np.asarray(values, bool))
    return pa.array(values)
