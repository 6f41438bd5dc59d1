"""Waits below a falling price and above a rising one: limit orders, no chase after the market."""

import numpy as np
from numpy.typing import NDArray

from tickhouse import FEATURE_NAMES, Orders, Parameter, parameter_values

RSI = FEATURE_NAMES.index("rsi_14")  # 0 to 100
RANGE = FEATURE_NAMES.index("atr_14_bp")  # of a minute, bp
SPREAD = FEATURE_NAMES.index("spread_bp")


class Dip:
    """One order at a time, ten minutes to be filled; it moves with the price, and is taken back
    when the move is over.
    """

    name = "dip"  # the file's name
    needs_model = False
    parameters = (
        Parameter("low", 35.0, 10.0, 45.0, "relative strength below which it waits to buy"),
        Parameter("ranges", 1.5, 0.5, 4.0, "how far away it waits, ranges of a minute", log=True),
        Parameter("life_s", 600.0, 60.0, 3_600.0, "how long an order waits, seconds", log=True),
        Parameter("stop", 3.0, 1.0, 8.0, "the stop's distance, of how far away it waits", log=True),
    )

    def __init__(self, settings: object) -> None:
        text = getattr(settings, "parameters", "")
        own = parameter_values(self.parameters, text)
        self._low, self._ranges, self._life_s, self._stop = own.values()
        self.horizon_s = self._life_s + 1_200.0  # from the row that asks: the order's life counts

    def orders(
        self, rows: NDArray[np.float32], probabilities: NDArray[np.float32] | None
    ) -> Orders:
        """One row each. NaN compares false: no order in warm-up."""
        rsi, range_, spread = rows[:, RSI], rows[:, RANGE], np.abs(rows[:, SPREAD])
        direction = (rsi < self._low).astype(np.int8) - (rsi > 100.0 - self._low)
        away = np.maximum(self._ranges * range_, 2.0 * spread).astype(np.float64)
        over = np.abs(rsi - 50.0) < 5.0
        return Orders(
            direction, away, cancel=over, name="dip", entry="limit", life_s=self._life_s,
            stop_bp=self._stop * away, take_profit_bp=2.0 * away, follow_bp=3.0,
        )  # fmt: skip
