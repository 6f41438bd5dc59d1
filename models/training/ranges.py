"""What a member has seen of each feature: outside of that it may say anything, so it is not asked.

Each member has a range of its own, for each is trained on rows of its own: trees on all of the
training part, a network on some thousands of windows of it.
"""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Range = tuple[tuple[float, ...], tuple[float, ...]]

#: A feature with fewer values than this in the training part says nothing about its range.
_LEAST_KNOWN = 0.5
_FAR = float(np.finfo(np.float32).max)


def range_of(rows: Rows) -> Range:
    """Per feature its smallest and largest value, widened by their distance on both sides."""
    columns = rows.shape[1]
    low, high = np.full(columns, -_FAR), np.full(columns, _FAR)
    for n in range(columns):
        values = rows[:, n].astype(np.float64)
        values = values[np.isfinite(values)]
        if len(values) >= _LEAST_KNOWN * len(rows) and len(values):
            width = values.max() - values.min()
            low[n], high[n] = values.min() - width, values.max() + width
    return tuple(low.astype(np.float32).tolist()), tuple(high.astype(np.float32).tolist())


def windows_outside(
    rows: Rows, at: Indices, first: Indices, window: int, low: Rows, high: Rows
) -> npt.NDArray[np.uint8]:
    """Whether any row of each window lies outside; 0 where a window does not fit.

    Args:
        rows: float32 [n, F]. at, first: places of the windows' last rows, and of the first rows
            that they may reach.
        low, high: float32 [F].
    """
    bad = ((rows < low) | (rows > high)).any(axis=1)  # NaN is neither
    until = np.concatenate([[0], np.cumsum(bad)])
    fits = at - first >= window - 1
    some = until[at + 1] > until[np.where(fits, at - window + 1, at + 1)]
    return some.astype(np.uint8)
