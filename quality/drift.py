"""How far a feature's distribution moved: the population stability index against a reference.

Bins are the reference's own deciles, so that the index does not depend on a feature's scale. Values
that a feature repeats (an imbalance is often 0) share a bin. Below 0.1 nothing moved; markets move
features by 0.2 to 0.6 from one day to the next.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_LEAST = 1e-4  # an empty bin counts as this share


def psi(reference: Array, values: Array, bins: int) -> float:
    """The index of `values` against `reference`; NaN are left out; 0 when either is empty."""
    reference, values = reference[np.isfinite(reference)], values[np.isfinite(values)]
    if not len(reference) or not len(values):
        return 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    expected, found = shares(reference, edges), shares(values, edges)
    return float(np.sum((found - expected) * np.log(found / expected)))


def shares(values: Array, edges: Array) -> Array:
    """Share of values in each bin, none of them zero."""
    counted = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return np.maximum(counted / len(values), _LEAST)
