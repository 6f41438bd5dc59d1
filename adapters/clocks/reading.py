"""What one look at a clock said: how far ours is from a reference, and how sure that is."""

import itertools
import time
from typing import NamedTuple

_LOOKS = 2_000


class Reading(NamedTuple):
    """One measurement. Times in microseconds; `offset_us` is our clock less the reference.

    `traceable`: whether the reference claims to be UTC; what a broker's server says is not.
    """

    source: str
    method: str  # chrony, kernel, ntp or ticks
    stratum: int
    offset_us: float
    uncertainty_us: float  # how wrong the offset may be
    traceable: bool
    synchronised: bool
    detail: str


def granularity_us() -> float:
    """The smallest step of our own stamps: whole microseconds, or the clock's step."""
    stamps = sorted({time.time_ns() for _ in range(_LOOKS)})
    steps = [b - a for a, b in itertools.pairwise(stamps)]
    return max(1.0, min(steps, default=1_000_000) / 1000)
