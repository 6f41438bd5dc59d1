"""Messages of topic `ticks` to rows: a replay's training part ends with a barrier."""

from adapters.bus.base import Message
from core.contracts import codec
from core.contracts.tick import TickBatch, TickMarker
from core.topics import TICKS
from streams.connectors.clickhouse import Barrier
from streams.flows.ticks import to_rows
from streams.rows import Rows
from tests.support.recordings import recorded_ticks


def message(content: object) -> Message:
    return Message(TICKS.name, "oanda.EURUSD", 1, codec.encode(content), 0)


def test_the_marker_train_becomes_a_barrier_that_tells_when_all_before_it_is_stored() -> None:
    reported: list[TickMarker] = []
    ticks = recorded_ticks("EURUSD_oanda")[:5]
    (rows,) = to_rows(
        reported.append, message(TickBatch("r", "replay", "oanda", "EURUSD", 0, 1, ticks.tobytes()))
    )
    assert isinstance(rows, Rows)
    assert (rows.table, rows.size) == ("tick", 5)
    marker = TickMarker("r", "train", 3, 99)
    (barrier,) = to_rows(reported.append, message(marker))
    assert isinstance(barrier, Barrier)
    assert reported == []
    barrier.then()
    assert reported == [marker]
    for kind in ("slice", "model", "end"):
        assert to_rows(reported.append, message(TickMarker("r", kind, 4, 100))) == []  # type: ignore[arg-type]
