"""Probabilities to a target position: what a move would bring, less what trading it costs.

The expected move is that of the training part's moves, scaled by how much the market moves now:
a model that says how often, and a market that says how far. A position is opened only when that
exceeds spread and expected slippage, and grows with how far it does.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from features.catalog import NAMES
from features.compiled import compiled
from features.jit import types

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


def _edge(rows: Any, probabilities: Any, down: float, up: float, root: float, out: Any) -> None:
    for k in range(rows.shape[0]):
        volatility, spread = float(rows[k, _VOLATILITY]) * root, abs(float(rows[k, _SPREAD]))
        scale = 0.01
        if volatility > scale:  # a missing value is not
            scale = volatility
        if spread > scale:
            scale = spread
        out[k] = (probabilities[k, 2] * up - probabilities[k, 0] * down) * scale


def _share(rows: Any, edge: Any, slippage_bp: float, out: Any) -> None:
    for k in range(rows.shape[0]):
        cost = abs(float(rows[k, _SPREAD])) + slippage_bp
        share = (abs(edge[k]) - cost) / max(cost, 1e-9)
        out[k] = math.copysign(min(share, 1.0), edge[k]) if share > 0.0 else 0.0


# Compiled: for the one row of a live tick a dozen NumPy calls cost more than the prediction.
_ROWS = types.Array(types.float32, 2, "A", readonly=True)
_FLOATS = types.Array(types.float64, 1, "C")
_fill_edge: Callable[..., None] = compiled(
    types.void(_ROWS, _ROWS, types.float64, types.float64, types.float64, _FLOATS), _edge
)
_fill_share: Callable[..., None] = compiled(
    types.void(_ROWS, _FLOATS, types.float64, _FLOATS), _share
)


def edge_bp(
    rows: Rows, probabilities: Rows, gains: tuple[float, float], horizon_s: float
) -> Floats:
    """Expected move of the mid over the horizon, bp, positive up. float64 [k]."""
    edges = np.empty(len(rows))
    _fill_edge(rows, probabilities, *gains, math.sqrt(horizon_s / 60.0), edges)
    return edges


def target_share(rows: Rows, edge: Floats, costs: Costs) -> Floats:
    """Signed share of the full position, -1 to 1, float64 [k].

    0 unless the edge pays for spread and slippage; full when it pays for them twice.
    """
    shares = np.empty(len(rows))
    _fill_share(rows, edge, costs.slippage_bp, shares)
    return shares


def in_steps(share: Floats) -> Floats:
    """Up to the next tenth, so that a small target is not below every venue's smallest order."""
    return np.ceil(np.round(share * 10, 9)) / 10


def mean_gains(
    rows: Rows, move_bp: Floats, label: npt.NDArray[np.int8], horizon_s: float
) -> tuple[float, float]:
    """Mean size of the moves of class down and up, in units of `scale_bp`."""
    size = np.abs(move_bp) / scale_bp(rows, horizon_s)
    down, up = (float(size[label == c].mean()) if (label == c).any() else 0.0 for c in (0, 2))
    return down, up
