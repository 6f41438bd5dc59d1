"""Breakout: follow the price out of its Bollinger band, when the band is not a quiet hour's."""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class Breakout:
    """Long above the upper band, short below the lower one, for five minutes."""

    name = "breakout"
    needs_model = False
    parameters = (
        # A band narrower than so many spreads cannot pay for a trade.
        Parameter("spreads", 5.0, 1.0, 40.0, "least width of the band, spreads", log=True),
        Parameter("beyond", 0.0, 0.0, 0.5, "how far out of the band, shares of its width"),
        Parameter("horizon_s", 300.0, 60.0, 14_400.0, "longest holding, seconds", log=True),
    )
    _PLACE = NAMES.index("bollinger_position")  # 0 at the lower band, 1 at the upper
    _WIDTH = NAMES.index("bollinger_width_bp")
    _SPREAD = NAMES.index("spread_bp")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._spreads, self._beyond, self.horizon_s = own.values()

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target where the price is outside a wide enough band; surer the farther out."""
        place, spread = rows[:, self._PLACE], rows[:, self._SPREAD]
        wide = rows[:, self._WIDTH] > self._spreads * np.maximum(spread, 0.0)
        above, below = place > 1.0 + self._beyond, place < -self._beyond
        out = (above & wide).view(np.int8) - (below & wide).view(np.int8)
        beyond = np.clip(np.abs(np.nan_to_num(place) - 0.5), 0.0, 1.0)
        return Targets(out, beyond.astype(np.float32))
