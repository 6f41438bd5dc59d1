"""Fades a stretched price: buys far below its band when nothing pushes it down, and the reverse."""

import numpy as np
from numpy.typing import NDArray

from tickhouse import FEATURE_NAMES, Strategy, Targets

PLACE = FEATURE_NAMES.index("bollinger_position")  # 0 at the lower band, 1 at the upper
RSI = FEATURE_NAMES.index("rsi_14")  # 0 to 100
PRESSURE = FEATURE_NAMES.index("quote_pressure_60s")  # -1 to 1


class Fade(Strategy):
    """Against the move, for ten minutes at most; only the opposite target turns it earlier."""

    name = "fade"  # the file's name
    needs_model = False

    def __init__(self, settings: object) -> None:
        self.horizon_s = 600.0  # seconds of market time

    def targets(
        self, rows: NDArray[np.float32], probabilities: NDArray[np.float32] | None
    ) -> Targets:
        """One direction and one confidence per row. NaN compares false: no target in warm-up."""
        place, rsi, pressure = rows[:, PLACE], rows[:, RSI], rows[:, PRESSURE]
        cheap = (place < -0.1) & (rsi < 30.0) & (pressure > -0.2)
        dear = (place > 1.1) & (rsi > 70.0) & (pressure < 0.2)
        stretch = np.clip(np.abs(np.nan_to_num(place, nan=0.5) - 0.5), 0.0, 1.0)
        return Targets(cheap.astype(np.int8) - dear.astype(np.int8), stretch.astype(np.float32))
