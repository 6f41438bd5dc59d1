"""Feature rows to probabilities, with the model that holds at that point of the stream."""

import time
from pathlib import Path

from core.contracts.tick import TickMarker
from core.metrics import Histograms
from models.artifact import load
from models.predictor import Predictor
from streams.records import Predicted, Sampled


class ModelInUse:
    """Predicts with the model named by the last `model` marker, or by the champion at start."""

    def __init__(self, models: Path, histograms: Histograms, model: str) -> None:
        """`model`: SHA-256 of an artefact in the directory `models`; "" when nothing predicts."""
        self._models, self._histograms = models, histograms
        self.model = ""
        self._predictor: Predictor | None = None
        self._use(model)

    def marker(self, marker: TickMarker) -> None:
        """Change over at a `model` marker: rows before it and after it are never mixed."""
        if marker.kind == "model":
            self._use(marker.model)

    def rows(self, sampled: Sampled) -> Predicted:
        """The rows with probabilities, or without when nothing predicts."""
        rows = len(sampled.features)
        if self._predictor is None or rows == 0:
            return Predicted(sampled, self.model, None)
        started = time.perf_counter_ns()
        probabilities = self._predictor.predict(sampled.features)
        elapsed = time.perf_counter_ns() - started
        self._histograms.record("predict", elapsed // rows, rows)
        return Predicted(sampled, self.model, probabilities)

    def _use(self, model: str) -> None:
        if model != self.model:
            self._predictor = Predictor(load(self._models, model).onnx) if model else None
            self.model = model
