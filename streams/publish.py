"""Signals to the bus, before anything is stored of them."""

import time
from collections.abc import Iterator

import msgspec

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.signal import ShardBatch
from core.crashpoint import reach
from core.exposition import Sample, expose
from core.metrics import Histograms
from core.topics import SIGNALS
from streams.records import Decided, SliceDecided


class SignalPublisher:
    """Publishes with the signal's own id, so that a repeat after a crash stores nothing."""

    def __init__(
        self, bus: Publisher, histograms: Histograms, shards: int = 1, shard: int = 0
    ) -> None:
        """`shard` of `shards`: who says that it has decided a slice."""
        self._bus, self._histograms = bus, histograms
        self._shards, self._shard = shards, shard
        self._published: dict[str, int] = {}  # by strategy
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """Signals by their strategy."""
        for strategy, count in tuple(self._published.items()):
            yield Sample("tickhouse_signals_total", (strategy,), count)

    def live(self, decided: Decided) -> None:
        """Each signal by itself, durable before the next step."""
        for signal in decided.signals:
            started = time.perf_counter_ns()
            reach("streams.signals.publish.before")
            self._bus.publish(
                SIGNALS, f"{signal.source}.{signal.symbol}", codec.encode(signal), signal.signal_id
            )
            reach("streams.signals.publish.after")
            now = time.perf_counter_ns()
            self._histograms.record("publish", now - started)
            self._histograms.record("tick_to_signal", now - decided.predicted.sampled.received_ns)
            self._published[signal.strategy] = self._published.get(signal.strategy, 0) + 1

    def slice(self, decided: SliceDecided) -> None:
        """A replay's slice as one message; also when it has no signal."""
        batch, name = decided.batch, ""
        if self._shards > 1:
            said, name = msgspec.structs.asdict(batch), f".{self._shard}"
            batch = ShardBatch(**said, shard=self._shard, shards=self._shards)
        started = time.perf_counter_ns()
        reach("streams.signals.publish.before")
        self._bus.publish(
            SIGNALS,
            "slice",
            codec.encode(batch),
            f"{batch.run_id}.{batch.slice}.{batch.end}{name}",
        )
        reach("streams.signals.publish.after")
        now = time.perf_counter_ns()
        self._histograms.record("publish", now - started)
        for received_ns in decided.received_ns:
            self._histograms.record("tick_to_signal", now - received_ns)
