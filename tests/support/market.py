"""Ticks for tests: a seeded market with every oddity at once."""

import numpy as np

from core.contracts.tick import OUT_OF_ORDER, TICK, TickArray


def odd_ticks(seed: int, count: int) -> TickArray:
    """Bursts, repeated milliseconds, a weekend, locked, crossed and out-of-order quotes."""
    random = np.random.default_rng(seed)
    steps = random.choice([0, 1, 40, 250, 1500, 20_000], count, p=[0.2, 0.1, 0.3, 0.3, 0.09, 0.01])
    steps[count // 2] = 172_800_000
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = 1_398_902_400_000 + np.cumsum(steps)
    mid = 1.38 + np.cumsum(random.integers(-2, 3, count)) * 5e-6
    spread = random.choice([-2e-5, 0.0, 1e-5, 1.3e-4, 1.5e-3], count)
    ticks["bid"], ticks["ask"] = mid - spread / 2, mid + spread / 2
    late = random.random(count) < 0.02
    ticks["time_msc"][late] -= 5_000
    ticks["quality"][late] = OUT_OF_ORDER
    return ticks
