"""Volatility targeting: the side of the slow average, the smaller the wilder the market.

A position of target volatility over realised volatility, never above the full one (Moreira and
Muir, Volatility-Managed Portfolios, 2017). It sizes; that the slow average has the right side,
nobody says. Execution's own sizing by volatility (`sizing = "volatility"` in the limits) would
shrink it a second time.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class VolatilityTarget:
    """Long above the 20-hour average, short below, in tenths of the full position."""

    name = "volatility_target"
    needs_model = False
    parameters = (
        Parameter("target_bp", 8.0, 1.0, 80.0, "hourly range at the full position, bp", log=True),
        Parameter("ranges", 0.25, 0.0, 3.0, "distance from the 20-hour average, hourly ranges"),
        Parameter("horizon_s", 14_400.0, 900.0, 86_400.0, "how often it sizes anew, s", log=True),
    )
    _SLOW, _RANGE = NAMES.index("ema_20_1h_bp"), NAMES.index("atr_14_1h_bp")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._target, self._ranges, self.horizon_s = own.values()

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row with its size; rounded down to tenths, and none below one tenth."""
        slow, usual = rows[:, self._SLOW], rows[:, self._RANGE]
        least = self._ranges * usual
        side = (slow > least).view(np.int8) - (slow < -least).view(np.int8)
        known = usual > 0  # not where nothing moved yet
        with np.errstate(divide="ignore", invalid="ignore"):
            share, far = np.float32(self._target) / usual, np.abs(slow) / usual
        share = np.minimum(np.fmax(share, np.float32(0.0)), np.float32(1.0)) * known
        size = np.floor(share * np.float32(10.0) + np.float32(1e-4)).astype(np.float64) / 10.0
        sure = np.minimum(np.fmax(far, np.float32(0.0)) / np.float32(4.0), np.float32(1.0))
        return Targets(side * (size > 0), sure, size)
