"""The floor of the kernel's bench is the kernel: the same bits, or it is no floor."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_kernel import beside_the_floor
from benchmarks.kernel_floor import NoFloorError, built
from core.contracts.tick import TICK


@pytest.mark.parametrize("sample_ms", [0, 1000])
def test_the_loop_in_c_leaves_the_kernels_state_and_rows(tmp_path: Path, sample_ms: int) -> None:
    try:
        floor = built(tmp_path)
    except NoFloorError as error:
        pytest.skip(str(error))
    random = np.random.default_rng(5)
    ticks = np.zeros(40_000, TICK)  # of 11 hours, with gaps, trades, late and crossed ones
    ticks["time_msc"] = 1_400_000_000_000 + np.cumsum(random.integers(0, 2_000, len(ticks)))
    ticks["bid"] = 100.0 + np.cumsum(random.normal(0, 0.01, len(ticks)))
    ticks["ask"] = ticks["bid"] + random.normal(0.02, 0.01, len(ticks))
    ticks["last"], ticks["volume"] = ticks["bid"], random.integers(0, 3, len(ticks))
    ticks["flags"] = random.choice([2, 6, 8, 40, 72], len(ticks))
    ticks["quality"] = random.choice([0, 8], len(ticks), p=[0.99, 0.01])
    assert min(beside_the_floor(floor, ticks, sample_ms, 1)) > 0.0  # it compares them itself
