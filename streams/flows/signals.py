"""Ticks to features to predictions to signals.

    bus: ticks  ->  decode  ->  sample  ->  predict  ->  decide  ->  publish  ->  warehouse
                                                                        |
                                                                        v
                                                                 bus: signals

All feeds of a shard pass through one key, so a replay's markers keep their place among the
ticks: a model changes over exactly where the marker stands.
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
from streams.decide import Decider, DeciderState
from streams.predict import ModelInUse
from streams.publish import SignalPublisher
from streams.records import Decided, SliceDecided
from streams.rows import Rows
from streams.sample import Sampler

Keyed = tuple[str, Any]


class Parts(NamedTuple):
    """What the steps are made of; `make_*` receive the state of before a restart."""

    make_sampler: Callable[[dict[str, bytes] | None], Sampler]
    make_model: Callable[[str | None], ModelInUse]
    make_decider: Callable[[DeciderState | None], Decider]
    publisher: SignalPublisher
    to_rows: Callable[[Decided], list[Rows]]
    on_trained_part_stored: Callable[[TickMarker], None]


def build(source: Source[Message], parts: Parts, sink: Sink[Rows | Barrier]) -> Dataflow:
    """The flow. Steps know nothing of files, servers or settings."""
    flow = Dataflow("signals")
    messages = op.input("bus", flow, source)
    # Message(topic="ticks", key="oanda.EURUSD", sequence=17, payload=b"...")
    decoded = op.flat_map("decode", messages, decode)
    # ("shard-0", (TickBatch(...), 8123456789)) or ("shard-0", TickMarker(kind="slice", ...))
    sampled = op.stateful_batch("sample", decoded, lambda s: _Sample(parts.make_sampler(s)))
    # ("shard-0", Sampled(symbol="EURUSD", time_msc=[...], features=[[...]])), markers pass
    predicted = op.stateful_batch("predict", sampled, lambda s: _Predict(parts.make_model(s)))
    # ("shard-0", Predicted(model="5f1c...", probabilities=[[.2, .5, .3]])), markers pass
    decided = op.stateful_batch("decide", predicted, lambda s: _Decide(parts.make_decider(s)))
    # ("shard-0", Decided(signals=(Signal(target=1.0, ...),))), SliceDecided, markers
    published = op.flat_map_batch("publish", decided, lambda items: _publish(parts, items))
    # ("warehouse", Rows(table="feature", ...)), Rows(table="signal", ...), Barrier
    op.output("warehouse", published, sink)
    return flow


def decode(message: Message) -> list[Keyed]:
    """Tick batches with the time they came in, and markers; refused ticks are not features."""
    content = codec.decode(TICKS.name, message.payload)
    if isinstance(content, QuarantineBatch):
        return []
    if isinstance(content, TickBatch):
        return [("shard-0", (content, message.received_ns))]
    return [("shard-0", content)]


class _Sample(StatefulBatchLogic[Any, Any, dict[str, bytes]]):
    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        return [v if isinstance(v, TickMarker) else self._sampler.rows(*v) for v in values], False

    def snapshot(self) -> dict[str, bytes]:
        return self._sampler.state


class _Predict(StatefulBatchLogic[Any, Any, str]):
    def __init__(self, model: ModelInUse) -> None:
        self._model = model

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        return [self._one(value) for value in values], False

    def _one(self, value: Any) -> Any:
        if not isinstance(value, TickMarker):
            return self._model.rows(value)
        self._model.marker(value)
        return value

    def snapshot(self) -> str:
        return self._model.model


class _Decide(StatefulBatchLogic[Any, Any, DeciderState]):
    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        return [item for value in values for item in self._one(value)], False

    def _one(self, value: Any) -> list[Any]:
        if not isinstance(value, TickMarker):
            return [self._decider.rows(value)]
        decided = self._decider.marker(value)
        return [decided, value] if decided else [value]

    def snapshot(self) -> DeciderState:
        return self._decider.state


def _publish(parts: Parts, items: list[Keyed]) -> list[tuple[str, Rows | Barrier]]:
    """To the bus first; then what is to be stored."""
    stored: list[tuple[str, Rows | Barrier]] = []
    for _, item in items:
        if isinstance(item, SliceDecided):
            parts.publisher.slice(item)
        elif isinstance(item, Decided):
            if item.predicted.sampled.mode != "replay":
                parts.publisher.live(item)
            stored.extend(("warehouse", rows) for rows in parts.to_rows(item))
        elif item.kind == "train":
            stored.append(("warehouse", _barrier(parts, item)))
    return stored


def _barrier(parts: Parts, marker: TickMarker) -> Barrier:
    return Barrier(lambda: parts.on_trained_part_stored(marker))
