"""What passes from step to step in the signals flow. Arrays are never written after creation."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.signal import Signal, SignalBatch


class Sampled(NamedTuple):
    """Feature rows of one feed, one per sampled tick. All arrays have n rows."""

    run_id: str
    mode: str
    source: str
    symbol: str
    received_ns: int  # perf_counter_ns when the tick message reached this process
    time_msc: npt.NDArray[np.int64]
    seq: npt.NDArray[np.uint32]
    mid: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    features: npt.NDArray[np.float32]  # (n, features)


class Predicted(NamedTuple):
    """Rows with probabilities (n, 3) down, flat, up; None when nothing predicts."""

    sampled: Sampled
    model: str
    probabilities: npt.NDArray[np.float32] | None


class Decided(NamedTuple):
    """Rows with the signals they gave; `received_ns` as in Sampled."""

    predicted: Predicted
    signals: tuple[Signal, ...]


class SliceDecided(NamedTuple):
    """A replay's slice is complete: its signals in time order.

    `received_ns`: when the ticks behind each signal reached this process, for those that did.
    """

    batch: SignalBatch
    received_ns: tuple[int, ...] = ()
