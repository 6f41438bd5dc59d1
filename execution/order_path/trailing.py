"""Where a trailing stop shall be: pure arithmetic of one position and one quote.

It follows the price at which the position would close, at the signal's distance, and only ever
towards the price. It is left alone where the venue would refuse: nearer to the market than its
stops level, or while the market is within its freeze level of the old stop or the take-profit.
"""

import math

from adapters.mt5.venue.venue import Specification
from execution.journal.position import Position
from execution.order_path.quotes import Quote

_TINY = 1e-9


def wanted(position: Position, quote: Quote, rules: Specification, step: float) -> float | None:
    """The next stop, or None to leave it; `step`: least move as a share of the distance."""
    long = position.volume > 0
    sign = 1 if long else -1
    price = quote.side("sell" if long else "buy")
    gap = max(position.trail, rules.stops_distance)
    stop = _rounded((price - sign * gap) * sign, rules.digits) * sign
    old = position.stop_price
    least = max(step * position.trail, rules.point)
    if old and sign * (stop - old) < least - _TINY:
        return None
    frozen = (abs(price - level) <= rules.freeze_distance for level in _levels(position))
    return None if rules.freeze_distance and any(frozen) else stop


def reach(position: Position, rules: Specification, step: float) -> float:
    """The closing price from which on a next stop may be wanted; for who looks for it in ticks."""
    sign = 1 if position.volume > 0 else -1
    gap = max(position.trail, rules.stops_distance)
    least = max(step * position.trail, rules.point)
    return position.stop_price + sign * (gap + least - rules.point)


def _levels(position: Position) -> list[float]:
    return [level for level in (position.stop_price, position.take_profit) if level]


def _rounded(value: float, digits: int) -> float:
    # Away from the market, so that rounding never makes the distance less than asked for.
    scale = 10.0**digits
    return math.floor(value * scale + 1e-6) / scale
