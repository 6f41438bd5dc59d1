"""Signals to the bus, before anything is stored of them."""

import time

from adapters.bus.base import Publisher
from core.contracts import codec
from core.crashpoint import reach
from core.metrics import Histograms
from core.topics import SIGNALS
from streams.records import Decided, SliceDecided


class SignalPublisher:
    """Publishes with the signal's own id, so that a repeat after a crash stores nothing."""

    def __init__(self, bus: Publisher, histograms: Histograms) -> None:
        self._bus, self._histograms = bus, histograms

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

    def slice(self, decided: SliceDecided) -> None:
        """A replay's slice as one message; also when it has no signal."""
        batch = decided.batch
        started = time.perf_counter_ns()
        reach("streams.signals.publish.before")
        self._bus.publish(
            SIGNALS, "slice", codec.encode(batch), f"{batch.run_id}.{batch.slice}.{batch.end}"
        )
        reach("streams.signals.publish.after")
        now = time.perf_counter_ns()
        self._histograms.record("publish", now - started)
        for received_ns in decided.received_ns:
            self._histograms.record("tick_to_signal", now - received_ns)
