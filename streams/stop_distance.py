"""How far from the mid a signal's stop stands: one rule for deciding and for looking back."""

import math

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
