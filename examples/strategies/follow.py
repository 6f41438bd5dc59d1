"""Follows a trend: in the direction of the 5-minute average, when the last minutes agree."""

import numpy as np
from numpy.typing import NDArray

from tickhouse import FEATURE_NAMES, Strategy, Targets

SLOW = FEATURE_NAMES.index("ema_20_5m_bp")  # mid minus its average over 100 minutes, bp
QUICK = FEATURE_NAMES.index("return_15m")  # bp
RANGE = FEATURE_NAMES.index("atr_14_5m_bp")  # how far the price moves in five minutes, bp
SPREAD = FEATURE_NAMES.index("spread_bp")


class Follow(Strategy):
    """With the move, for an hour at most, where an hour's move pays for the spread ten times."""

    name = "follow"
    needs_model = False

    def __init__(self, settings: object) -> None:
        self.horizon_s = 3_600.0

    def targets(
        self, rows: NDArray[np.float32], probabilities: NDArray[np.float32] | None
    ) -> Targets:
        """Long or short where both averages lean the same way, by more than the usual range."""
        slow, quick, usual = rows[:, SLOW], rows[:, QUICK], rows[:, RANGE]
        worth = usual * np.sqrt(12.0) > 10.0 * np.abs(rows[:, SPREAD])
        up = worth & (slow > usual) & (quick > 0)
        down = worth & (slow < -usual) & (quick < 0)
        confidence = np.clip(np.abs(np.nan_to_num(slow / usual)) / 4.0, 0.0, 1.0)
        return Targets(up.astype(np.int8) - down.astype(np.int8), confidence.astype(np.float32))
