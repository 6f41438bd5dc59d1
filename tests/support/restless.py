"""A strategy that trades within a minute of any market: stacks that have to have orders soon."""

from typing import Any

import numpy as np

from features.catalog import NAMES
from strategies.protocol import Targets


class Restless:
    """Follows the last fifteen seconds, and lets go after ten."""

    name = "restless"
    needs_model = False
    horizon_s = 10.0

    def __init__(self, settings: Any) -> None:
        self._column = NAMES.index("return_15s")

    def targets(self, rows: Any, probabilities: Any) -> Targets:
        """Long after a rise, short after a fall; nothing before there were fifteen seconds."""
        gone = np.nan_to_num(rows[:, self._column])
        return Targets(np.sign(gone).astype(np.int8), np.ones(len(rows), np.float32))
