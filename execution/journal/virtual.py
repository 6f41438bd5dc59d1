"""Virtual positions: whose the one position of a symbol is that a netting account has.

Where several strategies trade a netting account, each has a position of its own in the book, under
a number that no venue gives. The account's position stays the truth: it is the sum of theirs, and
of what others hold. Every order is one strategy's, so its deals are; what the broker or a person
does to the whole is shared out in proportion.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

from core.contracts.order import EventKind, OrderEvent
from core.desk import NETTING

#: Why a difference of profit is booked: once to the strategy, and the other way round to `NETTING`.
RESIDUE = "residue"
_FIRST = 1 << 52  # above every ticket of a venue, and exact as a double
T = TypeVar("T")


def ticket_of(deal: int) -> int:
    """The number of the position that a deal opens: the same in a replay and its backtest."""
    return _FIRST | (deal & (_FIRST - 1))


def is_virtual(ticket: int) -> bool:
    """Whether a position's number is one of ours, and not a venue's."""
    return ticket >= _FIRST


def is_of_strategies(event: OrderEvent) -> bool:
    """Whether an event books profit by a strategy's own average, where the broker's says otherwise.

    An account valued by the strategies' own prices counts these, and not what `NETTING` carries.
    """
    return (event.kind, event.purpose) == (EventKind.BOOKED, RESIDUE) and event.strategy != NETTING


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """A whole number in proportion to weights, largest remainder first, then the earlier one.

    Args:
        total: not negative; with weights that sum to 0, nobody gets anything.
        weights: not negative.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    given = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_rest[: total - sum(given)]:
        given[n] += 1
    return given


def lots_shared(total: float, held: Sequence[float], step: float) -> list[float]:
    """Lots in proportion to lots that are held, in whole steps; never more than anybody holds."""
    given = shares(_steps(total, step), [_steps(volume, step) for volume in held])
    return [round(steps * step, 8) for steps in given]


def cents_shared(amount: float, lots: Sequence[float], digits: int = 2) -> list[float]:
    """Money in proportion to lots, to the cent: the largest takes what rounding leaves."""
    total = sum(lots)
    parts = [round(amount * volume / total, digits) if total else 0.0 for volume in lots]
    largest = max(range(len(lots)), key=lambda n: (lots[n], -n))
    parts[largest] = round(parts[largest] + amount - sum(parts), 8)
    return parts


def guard(stops: Iterable[float], net: float) -> float:
    """The stop that stands at the broker for the whole: the farthest of those on the net side.

    `stops`: of the strategies on that side; 0 where none is.
    """
    real = [stop for stop in stops if stop and math.isfinite(stop)]
    if not real:
        return 0.0
    return min(real) if net > 0 else max(real)


def _steps(lots: float, step: float) -> int:
    return round(abs(lots) / step)
