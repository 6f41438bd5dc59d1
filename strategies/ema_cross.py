"""EMA cross: long while the average of 12 minutes is above that of 26, short while below.

`examples/strategies/` holds three to copy; `docs/how-to/write-a-strategy.md` explains what one has.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class EmaCross:
    """Always in the market once 26 minutes have closed; a cross turns the position."""

    name = "ema_cross"
    needs_model = False
    #: MACD is the 12-minute average of mid closes minus the 26-minute one.
    _DISTANCE = NAMES.index("macd_bp")

    def __init__(self, settings: SignalSettings) -> None:
        self.horizon_s = 86_400.0  # a day: the opposite cross comes first

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target for every row; none before the averages exist (NaN is neither)."""
        distance = rows[:, self._DISTANCE]
        direction = (distance > 0).astype(np.int8) - (distance < 0)
        return Targets(direction.astype(np.int8), np.ones(len(rows), np.float32))
