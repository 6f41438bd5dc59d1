"""Population stability index: one number for how far a distribution moved from another.

Models watch their inputs with it, and the data checks a day's features; what the bins are is
theirs. Source: Siddiqi, Credit Risk Scorecards (2006): above 0.2 is usually taken for a change.
"""

import numpy as np
import numpy.typing as npt

_LEAST = 1e-4  # share of an empty bin, so that its logarithm stays finite

Shares = npt.NDArray[np.float64]


def stability_index(expected: Shares, observed: Shares) -> float:
    """Sum over bins of (observed - expected) x ln(observed / expected).

    Both are shares of bins, shape (n,).
    """
    expected, observed = np.maximum(expected, _LEAST), np.maximum(observed, _LEAST)
    return float(((observed - expected) * np.log(observed / expected)).sum())
