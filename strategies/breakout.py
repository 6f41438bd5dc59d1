"""Breakout: follow the price out of its Bollinger band, when the band is not a quiet hour's."""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class Breakout:
    """Long above the upper band, short below the lower one, for five minutes."""

    name = "breakout"
    needs_model = False
    _PLACE = NAMES.index("bollinger_position")  # 0 at the lower band, 1 at the upper
    _WIDTH = NAMES.index("bollinger_width_bp")
    _SPREAD = NAMES.index("spread_bp")
    _SPREADS = 5.0  # a band narrower than so many spreads cannot pay for a trade

    def __init__(self, settings: SignalSettings) -> None:
        self.horizon_s = 300.0

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target where the price is outside a wide enough band; surer the farther out."""
        place, spread = rows[:, self._PLACE], rows[:, self._SPREAD]
        wide = rows[:, self._WIDTH] > self._SPREADS * np.maximum(spread, 0.0)
        out = np.where(place > 1.0, 1, 0) - np.where(place < 0.0, 1, 0)
        beyond = np.clip(np.abs(np.nan_to_num(place) - 0.5), 0.0, 1.0)
        return Targets((out * wide).astype(np.int8), beyond.astype(np.float32))
