"""Pairs: of two symbols that move together, sell the one that ran ahead and buy the other.

That what parted comes back is shown for stocks over months (Gatev, Goetzmann and Rouwenhorst,
Pairs Trading, 2006), less so in each decade since; two currencies part for reasons, too.
"""

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings
from features.catalog import NAMES
from strategies.pairs_form import PairTargets
from strategies.parameters import Parameter, parameter_values

Float32 = npt.NDArray[np.float32]


class Pairs:
    """Each symbol's distance from its 20-hour average, in hourly ranges; where two differ, against
    it, the wilder one with the smaller position. Legs are signals of their own: one may be denied,
    or stopped out, and the other stands alone until its horizon.
    """

    name = "pairs"
    needs_model = False
    group_size = 2
    parameters = (
        Parameter("ranges", 2.0, 0.25, 8.0, "how far apart the two are, hourly ranges"),
        Parameter("spreads", 6.0, 0.5, 40.0, "least hourly range of each, spreads", log=True),
        Parameter("age_s", 20.0, 3.0, 600.0, "oldest row that counts, seconds", log=True),
        Parameter("horizon_s", 7_200.0, 300.0, 86_400.0, "longest holding, seconds", log=True),
    )
    _SLOW, _RANGE = NAMES.index("ema_20_1h_bp"), NAMES.index("atr_14_1h_bp")
    _SPREAD = NAMES.index("spread_bp")

    def __init__(self, settings: SignalSettings) -> None:
        own = parameter_values(self.parameters, settings.parameters)
        self._ranges, self._spreads, self._age_s, self.horizon_s = own.values()

    def pair_targets(self, rows: Float32, age_s: Float32) -> PairTargets:
        """Targets of both legs; none where a row is missing, old, or not worth its spread."""
        usual = rows[:, :, self._RANGE].astype(np.float64)
        worth = usual > self._spreads * np.abs(rows[:, :, self._SPREAD])
        known = (worth & (usual > 0) & np.isfinite(usual) & (age_s <= self._age_s)).all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = rows[:, :, self._SLOW] / usual
            share = np.min(usual, axis=1, keepdims=True) / usual
        gap = np.where(known, away[:, 0] - away[:, 1], 0.0)
        gap = np.where(np.isfinite(gap), gap, 0.0)
        ahead = np.sign(gap) * (np.abs(gap) > self._ranges)
        direction = np.stack([-ahead, ahead], axis=1).astype(np.int8)
        size = np.ceil(np.where(direction != 0, share, 0.0) * 10.0 - 1e-9) / 10.0
        sure = np.minimum(np.abs(gap) / (2.0 * self._ranges), 1.0).astype(np.float32)
        return PairTargets(direction, np.stack([sure, sure], axis=1), size)
