"""What a busy day's positions risked, by the fold that the executions flow runs on real days."""

from collections.abc import Iterator, Sequence

from adapters.clickhouse.native import Column
from cli.busy.account import account_states, positions
from cli.busy.day import MINUTE, SOURCE, Day
from cli.busy.decisions import Quoted
from core.contracts.order import AccountState, ExecutionMarker, OrderEvent, PositionState
from core.contracts.tick import TickBatch, TickMarker
from core.sections import RiskSettings
from streams.portfolio_risk import RiskFold
from streams.risk_rows import risk_rows

_SLICE = 30 * MINUTE


def blocks(
    day: Day, feeds: Sequence[Quoted], events: Sequence[OrderEvent]
) -> Iterator[tuple[str, Sequence[Column]]]:
    """Rows by table: figures of each minute while something was held, and regimes."""
    fold = RiskFold(day.run, RiskSettings(every_s=60))
    messages: list[PositionState | AccountState] = [
        *positions(events), *account_states(day, events),
    ]  # fmt: skip
    coming = sorted(messages, key=lambda m: (m.ts_event_us, m.seq), reverse=True)
    for number, begin in enumerate(range(day.start_us, day.end_us, _SLICE), 1):
        end = begin + _SLICE
        for feed in feeds:
            at = feed.ticks["time_msc"] * 1000
            inside = feed.ticks[(at >= begin) & (at < end)]
            if len(inside):
                fold.ticks(_batch(day, feed.symbol, number, inside.tobytes()))
        while coming and coming[-1].ts_event_us <= end:
            fold.event(coming.pop())
        if day.run.mode == "replay":
            fold.marker(TickMarker(day.run.run_id, "slice", number, end))
            fold.event(ExecutionMarker(day.run.run_id, number, end))
        for rows in risk_rows(list(fold.rows())):
            yield rows.table, rows.columns


def _batch(day: Day, symbol: str, number: int, ticks: bytes) -> TickBatch:
    return TickBatch(day.run.run_id, day.run.mode, SOURCE, symbol, 0, number, ticks)
