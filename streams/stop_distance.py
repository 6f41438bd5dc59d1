"""How far from the mid a signal's stop stands: one rule for deciding and for looking back."""

import math

import numpy as np
import numpy.typing as npt

from core.sections import SignalSettings


def stop_distance(
    settings: SignalSettings, horizon_s: float, mid: float, spread: float, volatility_bp: float
) -> float:
    """Price distance: so many spreads, and at least so many volatilities of the horizon.

    Args:
        spread: of the quote, whatever its sign; `mid` in quote currency too.
        volatility_bp: of a minute, NaN before it is known.
    """
    per_minute = 0.0 if math.isnan(volatility_bp) else volatility_bp * 1e-4 * mid
    volatility = per_minute * math.sqrt(horizon_s / 60.0)
    floor = mid * 1e-4  # a crossed or locked quote has no spread to go by
    return max(settings.stop_spreads * abs(spread), settings.stop_volatility * volatility, floor)


def stop_distances(
    settings: SignalSettings,
    horizon_s: float,
    mid: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    volatility_bp: npt.NDArray[np.float32],
) -> npt.NDArray[np.float64]:
    """The same of many rows, shape (n,) each, to the last bit."""
    bp = volatility_bp.astype(np.float64)
    per_minute = np.where(np.isnan(bp), 0.0, bp * 1e-4 * mid)
    volatility = per_minute * math.sqrt(horizon_s / 60.0)
    least = np.maximum(settings.stop_volatility * volatility, mid * 1e-4)
    distances: npt.NDArray[np.float64] = np.maximum(settings.stop_spreads * np.abs(spread), least)
    return distances
