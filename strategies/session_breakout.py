"""Session breakout: out of the last twenty minutes' range while a trading session opens.

Hours are UTC and stay where they are in summer: a session of local time is off by an hour for
half of the year. After Crabel, Day Trading with Short Term Price Patterns and Opening Range
Breakout (1990), with the range of the last twenty closed minutes for that of the opening.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Targets

Float32 = npt.NDArray[np.float32]


class SessionBreakout:
    """Follows the price out of its channel, within hours of the opening only."""

    name = "session_breakout"
    needs_model = False
    parameters = (
        Parameter("opens_h", 7.0, 0.0, 23.75, "when the session opens, hours UTC"),
        Parameter("hours", 2.0, 0.5, 6.0, "how long entries are taken, hours"),
        Parameter("ranges", 1.0, 0.0, 6.0, "how far out of the channel, minute ranges"),
        Parameter("horizon_s", 7_200.0, 600.0, 28_800.0, "longest holding, seconds", log=True),
    )
    _OUT, _SURE = NAMES.index("breakout"), NAMES.index("breakout_confidence")
    _SIN, _COS = NAMES.index("time_sin"), NAMES.index("time_cos")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._opens, self._hours, self._ranges, self.horizon_s = own.values()

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row; the hour is that of the row's own minute."""
        out, direction = rows[:, self._OUT], np.zeros(len(rows), np.int8)
        beyond = np.flatnonzero(np.abs(out) > self._ranges)  # few rows, so few angles
        angle = np.arctan2(rows[beyond, self._SIN], rows[beyond, self._COS]).astype(np.float64)
        minute = np.rint(angle * (720.0 / np.pi)) % 1440.0
        opening = (minute - self._opens * 60.0) % 1440.0 < self._hours * 60.0
        direction[beyond] = np.where(opening, np.sign(out[beyond]), 0.0)
        sure = np.minimum(np.fmax(rows[:, self._SURE], np.float32(0.0)), np.float32(1.0))
        return Targets(direction, sure)
