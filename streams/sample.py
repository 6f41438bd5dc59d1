"""Tick batches to feature rows: one kernel state per feed, advanced in the order of the bus."""

import time

from core.contracts.tick import TickBatch
from core.metrics import Histograms
from features.kernel import features_of
from features.state import StateArray, from_bytes, new_state, to_bytes
from streams.records import Sampled


class Sampler:
    """The kernels of all feeds of one shard."""

    def __init__(
        self, sample_ms: int, histograms: Histograms, state: dict[str, bytes] | None
    ) -> None:
        """`state` is what `state` returned before a restart.

        Raises:
            ModelError: the state belongs to another feature set.
        """
        self._sample_ms, self._histograms = sample_ms, histograms
        self._kernels: dict[str, StateArray] = {
            feed: from_bytes(content) for feed, content in (state or {}).items()
        }

    @property
    def state(self) -> dict[str, bytes]:
        """All kernel states by feed, for the recovery store."""
        return {feed: to_bytes(kernel) for feed, kernel in self._kernels.items()}

    def rows(self, batch: TickBatch, received_ns: int) -> Sampled:
        """The feature rows of one batch (there may be none)."""
        feed = f"{batch.source}.{batch.symbol}"
        kernel = self._kernels.get(feed)
        if kernel is None:
            kernel = self._kernels[feed] = new_state()
        ticks = batch.ticks
        started = time.perf_counter_ns()
        features, index = features_of(kernel, ticks, self._sample_ms)
        elapsed = time.perf_counter_ns() - started
        self._histograms.record("feature", elapsed // max(len(ticks), 1), len(ticks))
        bid, ask = ticks["bid"][index], ticks["ask"][index]
        return Sampled(
            run_id=batch.run_id,
            mode=batch.mode,
            source=batch.source,
            symbol=batch.symbol,
            received_ns=received_ns,
            time_msc=ticks["time_msc"][index],
            seq=ticks["seq"][index],
            mid=(bid + ask) / 2,
            spread=ask - bid,
            features=features,
        )
