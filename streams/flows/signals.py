"""Ticks to features to predictions to signals.

    bus: ticks  ->  decide (sample, predict, decide, publish)  ->  warehouse
                       |
                       v
                 bus: signals, and what is predicted now

All feeds of a shard pass through one key, so a replay's markers keep their place among the
ticks: a model changes over exactly where the marker stands. Of several shards each sees all feeds,
and decides its own (streams.shards).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import Sink

from adapters.bus.base import Message
from core.contracts import codec
from core.contracts.tick import QuarantineBatch, TickBatch, TickMarker
from core.topics import TICKS
from streams.connectors.clickhouse import Barrier
from streams.deal import NOTHING, Begin
from streams.decide import Decider, DeciderState
from streams.predict import ModelInUse, ModelState
from streams.publish import SignalPublisher
from streams.records import Decided, Predicted, Sampled
from streams.rows import Rows
from streams.sample import Sampler, SamplerState
from streams.shards import ALONE, Part, Shards

Keyed = tuple[str, Any]

#: What the sampler remembers, the model in use, what the decider remembers.
ShardState = tuple[SamplerState, ModelState, DeciderState]


class FlowParts(NamedTuple):
    """What the steps are made of; `make_*` receive the state of before a restart."""

    make_sampler: Callable[[SamplerState | None], Sampler]
    make_model: Callable[[ModelState | None], ModelInUse]
    make_decider: Callable[[DeciderState | None], Decider]
    publisher: SignalPublisher
    to_rows: Callable[[Decided], list[Rows]]
    on_predicted: Callable[[Predicted], None]
    on_trained_part_stored: Callable[[TickMarker], None]


def build(source: Source[Keyed], parts: FlowParts, sink: Sink[Rows | Barrier]) -> Dataflow:
    """The flow. Steps know nothing of files, servers or settings."""
    flow = Dataflow("signals")
    decoded = op.input("bus", flow, source)
    # ("shard-0", (TickBatch(...), 8123456789, Part.OWN)) or ("shard-0", TickMarker(kind="slice"))
    stored = op.stateful_batch("decide", decoded, lambda state: _Shard(parts, state))
    # ("shard-0", Rows(table="feature", ...)), Rows(table="signal", ...), Barrier
    op.output("warehouse", stored, sink)
    return flow


def decode(
    message: Message,
    shards: Shards = ALONE,
    number: int = 0,
    dealt: Begin = NOTHING,
) -> list[Keyed]:
    """For the source: markers, and tick batches with the time they came in and what shard `number`
    does with them; nothing refused.

    `dealt`: what former owners did already.
    """
    content = codec.decode(TICKS.name, message.payload)
    if isinstance(content, QuarantineBatch):
        return []
    shard = f"shard-{message.partition}"
    if isinstance(content, TickBatch):
        part = shards.part(number, content.source, content.symbol)
        if message.sequence < dealt.passed.get(message.key, 0):
            part = Part.PASSING
        elif part is Part.OWN and message.sequence < dealt.decided.get(message.key, 0):
            part = Part.FOLLOWED
        return [(shard, (content, message.received_ns, part))]
    return [(shard, content)]


class _Shard(StatefulBatchLogic[Any, Rows | Barrier, ShardState]):
    """Sample, predict, decide and publish in one step of the flow.

    Each step of its own costs a live tick some 100 us of scheduling, which four did not repay.
    """

    def __init__(self, parts: FlowParts, state: ShardState | None) -> None:
        kernels, model, held = state or (None, None, None)
        self._parts = parts
        self._sampler = parts.make_sampler(kernels)
        self._model = parts.make_model(model)
        self._decider = parts.make_decider(held)

    def on_batch(self, values: list[Any]) -> tuple[list[Rows | Barrier], bool]:
        return [item for value in values for item in self._one(value)], False

    def snapshot(self) -> ShardState:
        return self._sampler.state, self._model.state, self._decider.state

    def _one(self, value: Any) -> list[Any]:
        """To the bus first; then what is to be stored."""
        if isinstance(value, TickMarker):
            return self._marker(value)
        return self._rows(self._sampler.rows(*value))

    def _rows(self, together: list[Sampled]) -> list[Rows]:
        """Of rows of all feeds up to one moment."""
        self._decider.observe(together)
        own = [sampled for sampled in together if not sampled.followed]
        return [row for sampled in own for row in self._decide(sampled)]

    def _decide(self, sampled: Sampled) -> list[Rows]:
        decided = self._decider.rows(self._model.rows(sampled))
        if sampled.mode != "replay":
            self._parts.publisher.live(decided)
        self._parts.on_predicted(decided.predicted)
        return self._parts.to_rows(decided)

    def _marker(self, marker: TickMarker) -> list[Any]:
        """Everything before it is decided with the model from before it."""
        rows: list[Rows] = self._rows(self._sampler.release())
        self._model.marker(marker)
        decided = self._decider.marker(marker)
        if decided is not None:
            self._parts.publisher.slice(decided)
        return [*rows, _barrier(self._parts, marker)] if marker.kind == "train" else rows


def _barrier(parts: FlowParts, marker: TickMarker) -> Barrier:
    return Barrier(lambda: parts.on_trained_part_stored(marker))
