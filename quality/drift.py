"""How far a feature's distribution moved: the population stability index against a reference.

Bins are the reference's own deciles, so that the index does not depend on a feature's scale. Values
that a feature repeats (an imbalance is often 0) share a bin. Below 0.1 nothing moved; markets move
features by 0.2 to 0.6 from one day to the next.
"""

import numpy as np
import numpy.typing as npt

from core.stability import stability_index

Array = npt.NDArray[np.float64]


def psi(reference: Array, values: Array, bins: int) -> float:
    """The index of `values` against `reference`; NaN are left out; 0 when either is empty."""
    reference, values = reference[np.isfinite(reference)], values[np.isfinite(values)]
    if not len(reference) or not len(values):
        return 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    return stability_index(shares(reference, edges), shares(values, edges))


def shares(values: Array, edges: Array) -> Array:
    """Share of values in each bin."""
    counted = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    share: Array = counted / len(values)
    return share
