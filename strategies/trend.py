"""Trend: with the move of the last hours, where it is large against the usual range of an hour.

That markets go on as they went is the oldest claim there is; evidence for it is of months, over
dozens of futures (Moskowitz, Ooi and Pedersen, Time Series Momentum, 2012), not of hours.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class Trend:
    """Long so many hourly ranges above the 20-hour average while 5 minutes agree, or short."""

    name = "trend"
    needs_model = False
    parameters = (
        Parameter("ranges", 1.0, 0.1, 4.0, "distance from the 20-hour average, hourly ranges"),
        Parameter("spreads", 10.0, 1.0, 60.0, "least hourly range, spreads", log=True),
        Parameter("horizon_s", 14_400.0, 900.0, 86_400.0, "longest holding, seconds", log=True),
    )
    _SLOW, _QUICK = NAMES.index("ema_20_1h_bp"), NAMES.index("ema_20_5m_bp")
    _RANGE, _SPREAD = NAMES.index("atr_14_1h_bp"), NAMES.index("spread_bp")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._ranges, self._spreads, self.horizon_s = own.values()

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row; NaN compares false: none before twenty hours have closed."""
        slow, quick, usual = rows[:, self._SLOW], rows[:, self._QUICK], rows[:, self._RANGE]
        worth, least = usual > self._spreads * np.abs(rows[:, self._SPREAD]), self._ranges * usual
        up, down = worth & (slow > least) & (quick > 0), worth & (slow < -least) & (quick < 0)
        with np.errstate(divide="ignore", invalid="ignore"):  # a range of 0 opens nothing
            far = np.abs(slow) / usual
        sure = np.minimum(np.fmax(far, np.float32(0.0)) / np.float32(4.0), np.float32(1.0))
        return Targets(up.view(np.int8) - down.view(np.int8), sure)
