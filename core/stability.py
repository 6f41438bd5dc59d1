"""Population stability index: one number for how far a distribution moved from another.

Models watch their inputs with it, and the data checks a day's features; what the bins are is
theirs. Source: Siddiqi, Credit Risk Scorecards (2006): above 0.2 is usually taken for a change.
"""

import numpy as np
import numpy.typing as npt

_LEAST = 1e-4  # share of an empty bin, so that its logarithm stays finite

Shares = npt.NDArray[np.float64]


def stability_index(expected: Shares, found: Shares) -> float:
    """Sum over bins of (found - expected) x ln(found / expected). Shares of bins, shapes (n,)."""
    expected, found = np.maximum(expected, _LEAST), np.maximum(found, _LEAST)
    return float(((found - expected) * np.log(found / expected)).sum())
