"""Mean reversion: against a move that went far, unless the hour itself has a direction.

It sells what rises fast, so its losses are few and large where its gains are many and small.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class MeanReversion:
    """Short where the 5-minute RSI is high and no hour's trend stands behind it; long where low."""

    name = "mean_reversion"
    needs_model = False
    parameters = (
        Parameter("stretch", 20.0, 5.0, 45.0, "distance of the 5-minute RSI from 50"),
        Parameter("calm", 1.5, 0.25, 6.0, "most distance from the 20-hour average, hourly ranges"),
        Parameter("spreads", 3.0, 0.5, 30.0, "least 5-minute range, spreads", log=True),
        Parameter("horizon_s", 1_800.0, 120.0, 28_800.0, "longest holding, seconds", log=True),
    )
    _RSI, _RANGE = NAMES.index("rsi_14_5m"), NAMES.index("atr_14_5m_bp")
    _SLOW, _HOUR = NAMES.index("ema_20_1h_bp"), NAMES.index("atr_14_1h_bp")
    _SPREAD = NAMES.index("spread_bp")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._stretch, self._calm, self._spreads, self.horizon_s = own.values()

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row; none before twenty hours have closed: without them no hour is calm."""
        away = rows[:, self._RSI] - 50.0
        worth = rows[:, self._RANGE] > self._spreads * np.abs(rows[:, self._SPREAD])
        calm = worth & (np.abs(rows[:, self._SLOW]) < self._calm * rows[:, self._HOUR])
        dear, cheap = calm & (away > self._stretch), calm & (away < -self._stretch)
        sure = np.minimum(
            np.fmax(np.abs(away), np.float32(0.0)) / np.float32(50.0), np.float32(1.0)
        )
        return Targets(cheap.view(np.int8) - dear.view(np.int8), sure)
