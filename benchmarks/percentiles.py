"""p50, p99 and p99.9 in microseconds, of durations or of a stage's histogram."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.metrics import bucket_upper_ns

_SHARES = (0.5, 0.99, 0.999)


def of_durations(taken_ns: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Percentiles of nanoseconds, shape (n,)."""
    p50, p99, p999 = np.quantile(taken_ns / 1e3, _SHARES).tolist()
    return p50, p99, p999


def of_histogram(counts: Mapping[int, int]) -> tuple[float, float, float]:
    """Percentiles of a histogram of core.metrics, up to 3 % too high."""
    buckets = sorted(counts)
    reached = np.cumsum([counts[bucket] for bucket in buckets])
    places = np.searchsorted(reached, np.array(_SHARES) * reached[-1])
    p50, p99, p999 = (bucket_upper_ns(buckets[place]) / 1e3 for place in places)
    return p50, p99, p999
