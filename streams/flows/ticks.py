"""Ticks from the bus into `tick` and `tick_quarantine`.

bus: ticks  ->  to_rows  ->  warehouse
"""

from collections.abc import Callable
from functools import partial

from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source
from bytewax.outputs import Sink

from adapters.bus.base import Message
from adapters.clickhouse.rows import quarantine_columns, tick_columns
from core.contracts import codec
from core.contracts.tick import QuarantineBatch, TickBatch, TickMarker
from core.topics import TICKS
from streams.connectors.clickhouse import Barrier
from streams.rows import Rows
from streams.shards import owner

#: Called when every tick before the marker `train` is stored.
OnStored = Callable[[TickMarker], None]


def belongs(count: int, number: int, message: Message) -> bool:
    """Whether shard `number` of `count` stores a message: ticks of its feeds, and every marker."""
    key = message.key
    return key.startswith("marker.") or owner(key.removeprefix("quarantine."), count) == number


def build(source: Source[Message], sink: Sink[Rows | Barrier], on_stored: OnStored) -> Dataflow:
    """The flow. Steps know nothing of live or replay, nor of shards: the source gives one's own."""
    flow = Dataflow("ticks")
    messages = op.input("bus", flow, source)
    # Message(topic="ticks", key="oanda.EURUSD", sequence=17, payload=b"...")
    keyed = op.flat_map("to_rows", messages, partial(_to_keyed_rows, on_stored))
    # ("shard-0", Rows(table="tick", columns=(source, symbol, ts_event, ...), size=812)), Barrier
    op.output("warehouse", keyed, sink)
    return flow


def _to_keyed_rows(on_stored: OnStored, message: Message) -> list[tuple[str, Rows | Barrier]]:
    return [(f"shard-{message.partition}", rows) for rows in to_rows(on_stored, message)]


def to_rows(on_stored: OnStored, message: Message) -> list[Rows | Barrier]:
    """The rows of one message: ticks, refused ticks, a barrier before training, or none."""
    content = codec.decode(TICKS.name, message.payload)
    match content:
        case TickBatch():
            ticks = content.ticks
            columns = tick_columns(content.source, content.symbol, ticks)
            return [Rows("tick", columns, len(ticks))]
        case QuarantineBatch():
            columns = quarantine_columns(content, content.ticks[-1].time_msc * 1000)
            return [Rows("tick_quarantine", columns, len(content.ticks))]
        case TickMarker(kind="train"):
            return [Barrier(partial(on_stored, content))]
        case _:
            return []
