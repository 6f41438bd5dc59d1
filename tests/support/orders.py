"""Order events of a made-up day, journalled as execution does: for tests of what reads journals."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core.contracts.order import EventKind, OrderEvent
from core.sections import ClickhouseSettings
from execution.journal.journal import Journal

SECOND = 1_000_000


def at(text: str) -> int:
    """Microseconds of a UTC time such as 2026-03-02 10:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def event(order: int, kind: EventKind, ts_us: int, **more: object) -> OrderEvent:
    """An event of one order, not yet numbered."""
    record = OrderEvent(
        seq=0, event_id="", kind=kind, run_id="live", mode="live", account="acc1",
        strategy="model", order_id=f"o{order}", signal_id=f"s{order}", source="sim",
        symbol="EUIX50", ts_event_us=ts_us, ts_init_us=ts_us, side="buy", purpose="entry",
        volume=1.0, price=5000.25, arrival_mid=5000.0,
    )  # fmt: skip
    return replace(record, **more)


def filled(order: int, ts_us: int, **more: object) -> list[OrderEvent]:
    """Received, submitted and filled, a millisecond each."""
    fill = {"venue_deal": order, "venue_order": order, "venue_position": order, "commission": -1.0}
    return [
        event(order, EventKind.RECEIVED, ts_us, **more),
        event(order, EventKind.SUBMITTED, ts_us + 1_000, **more),
        event(order, EventKind.FILLED, ts_us + 2_000, **(fill | more)),
    ]


def journalled(path: Path, events: Sequence[OrderEvent]) -> list[OrderEvent]:
    """Numbered, chained and on disk."""
    book = Journal(path)
    try:
        records = book.append(events)
        book.sync()
    finally:
        book.close()
    return [e for e in records if isinstance(e, OrderEvent)]


def store(where: ClickhouseSettings, events: Sequence[OrderEvent]) -> None:
    """Into `order_event`, as streams.executions does."""
    with Writer(where) as writer:
        writer.insert("order_event", message_columns(events))
