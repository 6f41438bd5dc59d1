"""What passes from step to step in the signals flow. Arrays are never written after creation."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.signal import Signal, SignalBatch
from core.desk import CHAMPION, NO_MODEL
from models.serving.predictor import Predictions


class OwnNames(NamedTuple):
    """A person's own features by name, in the order of their columns; hash of the set with them."""

    names: tuple[str, ...]
    set_hash: str


NO_OWN = OwnNames((), "")


class KernelSnapshot(NamedTuple):
    """A kernel's memory of all ticks before a full hour of market time.

    `own`: that of a person's own features, b"" without any.
    """

    hour_us: int
    state: bytes
    own: bytes = b""


class Sampled(NamedTuple):
    """Feature rows of one feed, one per sampled tick. All arrays have n rows.

    `snapshots`: of the hours that began among these ticks, when they are kept. `own`: names of a
    person's own features, the columns after the catalogue's, and their set's hash. `late_ms`: from
    the market's time of each row to when its tick was received; None where that is no matter.
    `followed`: another shard decides and stores them. `began_msc`: the first tick of all feeds that
    were released together, the same for every shard; None live.
    """

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
    snapshots: tuple[KernelSnapshot, ...] = ()
    own: OwnNames = NO_OWN
    late_ms: npt.NDArray[np.int64] | None = None
    followed: bool = False
    began_msc: int | None = None


class ModelEvent(NamedTuple):
    """Something about a model that a person should know; `member` is "" for the whole of it."""

    ts_event_us: int
    model: str
    member: str
    kind: str  # "missing", "silent" or "in use"
    detail: str


class SaidByName(NamedTuple):
    """What a model said that strategies of the desk name; `model`: its SHA-256."""

    model: str
    predictions: Predictions
    edge_bp: npt.NDArray[np.float64]


class Predicted(NamedTuple):
    """Rows with what the models say.

    Attributes:
        model: "" when nothing predicts.
        predictions: None when nothing predicts.
        edge_bp: expected move of the mid over the model's horizon, float64 (n,).
        share: the most of a full position that may be opened now.
        shadow: the challenger's hash and its predictions; they are stored, nothing more.
        named: what models said that strategies name.
    """

    sampled: Sampled
    model: str
    predictions: Predictions | None
    edge_bp: npt.NDArray[np.float64] | None = None
    share: float = 1.0
    shadow: tuple[str, Predictions] | None = None
    events: tuple[ModelEvent, ...] = ()
    named: tuple[SaidByName, ...] = ()

    def seen_with(self, model: str) -> "Predicted":
        """As a strategy sees the rows: with the champion, no model, or the one of a beginning."""
        if model == CHAMPION:
            return self
        said = next((one for one in self.named if one.model.startswith(model)), None)
        if model == NO_MODEL or said is None:
            return self._replace(model="", predictions=None, edge_bp=None)
        return self._replace(
            model=said.model, predictions=said.predictions, edge_bp=said.edge_bp, share=1.0
        )

    @property
    def probabilities(self) -> npt.NDArray[np.float32] | None:
        """Down, flat, up, (n, 3)."""
        return None if self.predictions is None else self.predictions.probabilities


class Memory(NamedTuple):
    """What a strategy that remembers had in mind before the row of a signal; float64 bytes."""

    signal: Signal
    state: bytes


class Decided(NamedTuple):
    """Rows with the signals they gave; `received_ns` as in Sampled."""

    predicted: Predicted
    signals: tuple[Signal, ...]
    memories: tuple[Memory, ...] = ()


class SliceDecided(NamedTuple):
    """A replay's slice is complete: its signals in time order.

    `received_ns`: when the ticks behind each signal reached this process, for those that did.
    """

    batch: SignalBatch
    received_ns: tuple[int, ...] = ()
