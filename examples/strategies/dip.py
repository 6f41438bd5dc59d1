"""Waits below a falling price and above a rising one: limit orders, no chase after the market."""

import numpy as np
from numpy.typing import NDArray

from tickhouse import FEATURE_NAMES, Orders

RSI = FEATURE_NAMES.index("rsi_14")  # 0 to 100
RANGE = FEATURE_NAMES.index("atr_14_bp")  # of a minute, bp
SPREAD = FEATURE_NAMES.index("spread_bp")


class Dip:
    """One order at a time, ten minutes to be filled; it moves with the price, and is taken back
    when the move is over.
    """

    name = "dip"  # the file's name
    needs_model = False

    def __init__(self, settings: object) -> None:
        self.horizon_s = 1_800.0  # from the row that asks: the order's life counts

    def orders(
        self, rows: NDArray[np.float32], probabilities: NDArray[np.float32] | None
    ) -> Orders:
        """One row each. NaN compares false: no order in warm-up."""
        rsi, range_, spread = rows[:, RSI], rows[:, RANGE], np.abs(rows[:, SPREAD])
        direction = (rsi < 35.0).astype(np.int8) - (rsi > 65.0)
        away = np.maximum(1.5 * range_, 2.0 * spread).astype(np.float64)
        over = np.abs(rsi - 50.0) < 5.0
        return Orders(
            direction, away, cancel=over, name="dip", entry="limit", life_s=600.0,
            stop_bp=3.0 * away, take_profit_bp=2.0 * away, follow_bp=3.0,
        )  # fmt: skip
