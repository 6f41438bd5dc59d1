"""Leans with the model: trades where it is decided and the price is not stretched already."""

import numpy as np
from numpy.typing import NDArray

from tickhouse import FEATURE_NAMES, Strategy, Targets

PLACE = FEATURE_NAMES.index("bollinger_position")


class Lean(Strategy):
    """Needs a model: `--model SHA256`, the champion, or `replay --train-first`."""

    name = "lean"
    needs_model = True

    def __init__(self, settings: object) -> None:
        self.horizon_s = 120.0

    def targets(
        self, rows: NDArray[np.float32], probabilities: NDArray[np.float32] | None
    ) -> Targets:
        """`probabilities` (n, 3): down, flat, up; None until a model predicts."""
        if probabilities is None:
            return Targets(np.zeros(len(rows), np.int8), np.zeros(len(rows), np.float32))
        lean = probabilities[:, 2] - probabilities[:, 0]
        calm = np.abs(rows[:, PLACE] - 0.5) < 0.6
        direction = np.sign(lean) * (np.abs(lean) > 0.3) * calm
        return Targets(direction.astype(np.int8), np.abs(lean).astype(np.float32))
