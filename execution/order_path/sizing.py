"""From a target to orders: the difference between what is wanted and what is held.

The target is a share of the full position, rounded down to the lot step. How many lots a full
position has, `execution/order_path/full_position.py` says. Positions on the other side are closed
first, the oldest first, and only then is anything opened.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from adapters.mt5.venue.venue import Specification
from execution.journal.position import Position

_TINY = 1e-9  # lots: below every step


class Leg(NamedTuple):
    """One order of a plan. `ticket` 0 opens a position; else it reduces that one."""

    side: str
    volume: float
    ticket: int


class Plan(NamedTuple):
    """Closings, then an opening. `too_small`: a target that is less than the venue takes."""

    legs: tuple[Leg, ...]
    too_small: bool
    wanted: float  # signed lots before rounding


def wanted_volume(target: float, lots: float, step: float) -> float:
    """Signed lots for a target: its share of the full position, towards zero to the step."""
    steps = math.floor(abs(target) * lots / step + 1e-6)
    return math.copysign(round(steps * step, 8), target) if steps else 0.0


def plan(
    target: float, lots: float, held: Sequence[Position], specification: Specification
) -> Plan:
    """The orders that bring the held positions to a target.

    Args:
        target: -1 to 1, finite.
        lots: the full position.
        held: open positions of this strategy and feed, oldest first.
        specification: the venue's volumes.
    """
    wanted = wanted_volume(target, lots, specification.volume_step)
    against = [p for p in held if p.volume * wanted <= 0]
    legs = [_closing(p, abs(p.volume)) for p in against]
    along = [p for p in held if p.volume * wanted > 0]
    excess = round(sum(abs(p.volume) for p in along) - abs(wanted), 8)
    if excess > _TINY:
        legs += _reduce(along, excess)
        excess = 0.0
    opening = -excess if excess < -_TINY else 0.0
    below_minimum = opening + _TINY < specification.volume_min
    too_small = below_minimum and (opening > 0 or (target != 0 and not wanted))
    if opening and not too_small:
        legs.append(Leg("buy" if wanted > 0 else "sell", round(opening, 8), 0))
    return Plan(tuple(legs), too_small and not legs, round(target * lots, 8))


def opposite(target: float, held: Sequence[Position]) -> tuple[Leg, ...]:
    """Closings of what is held against a target, when nobody can say how much to open."""
    return tuple(_closing(p, abs(p.volume)) for p in held if p.volume * target < 0)


def _closing(position: Position, volume: float) -> Leg:
    return Leg("sell" if position.volume > 0 else "buy", round(volume, 8), position.ticket)


def _reduce(held: Sequence[Position], excess: float) -> list[Leg]:
    legs = []
    for position in held:
        volume = min(abs(position.volume), excess)
        if volume > _TINY:
            legs.append(_closing(position, volume))
        excess = round(excess - volume, 8)
    return legs
