"""Probabilities to a target position: what a move would bring, less what trading it costs.

The expected move is that of the training part's moves, scaled by how much the market moves now:
a model that says how often, and a market that says how far. A position is opened only when that
exceeds spread and expected slippage, and grows with how far it does.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.catalog import NAMES

_VOLATILITY, _SPREAD = NAMES.index("volatility_60s"), NAMES.index("spread_bp")

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class Costs(NamedTuple):
    """What a round trip costs beside the spread, in bp of the price."""

    slippage_bp: float


def scale_bp(rows: Rows, horizon_s: float) -> Floats:
    """How much the mid moves over the horizon, at least a spread. bp, float64 [k]."""
    volatility = rows[:, _VOLATILITY].astype(np.float64) * math.sqrt(horizon_s / 60.0)
    spread = np.abs(rows[:, _SPREAD].astype(np.float64))
    return np.fmax(np.fmax(volatility, spread), 0.01)  # fmax passes a missing value over


def edge_bp(
    rows: Rows, probabilities: Rows, gains: tuple[float, float], horizon_s: float
) -> Floats:
    """Expected move of the mid over the horizon, bp, positive up. float64 [k]."""
    down, up = (probabilities[:, c].astype(np.float64) for c in (0, 2))
    found: Floats = (up * gains[1] - down * gains[0]) * scale_bp(rows, horizon_s)
    return found


def target_share(rows: Rows, edge: Floats, costs: Costs) -> Floats:
    """Signed share of the full position, -1 to 1, float64 [k].

    0 unless the edge pays for spread and slippage; full when it pays for them twice.
    """
    cost = np.abs(rows[:, _SPREAD].astype(np.float64)) + costs.slippage_bp
    net = np.abs(edge) - cost
    share = np.clip(net / np.maximum(cost, 1e-9), 0.0, 1.0)
    found: Floats = np.sign(edge) * np.where(np.isfinite(share), share, 0.0)
    return found


def in_steps(share: Floats) -> Floats:
    """Up to the next tenth, so that a small wish is not below every venue's smallest order."""
    return np.ceil(np.round(share * 10, 9)) / 10


def mean_gains(
    rows: Rows, move_bp: Floats, label: npt.NDArray[np.int8], horizon_s: float
) -> tuple[float, float]:
    """Mean size of the moves of class down and up, in units of `scale_bp`."""
    size = np.abs(move_bp) / scale_bp(rows, horizon_s)
    down, up = (float(size[label == c].mean()) if (label == c).any() else 0.0 for c in (0, 2))
    return down, up
