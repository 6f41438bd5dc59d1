"""What trainers are given: chosen rows, their answers and weights, and the rows before them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


class Examples(NamedTuple):
    """Labelled rows of a dataset.

    Attributes:
        table: all rows of the dataset, float32 [n, F], feed by feed in time order.
        at: the chosen rows' places in it, int64 [k].
        first: for each the place of its feed's first row, int64 [k].
        label: 0 down, 1 flat, 2 up, int8 [k].
        weight: mean 1, float64 [k].
    """

    table: Rows
    at: Indices
    first: Indices
    label: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]

    @property
    def rows(self) -> Rows:
        """The chosen rows, float32 [k, F]."""
        return self.table[self.at]

    def having(self, window: int) -> "Examples":
        """Those with `window` rows of their feed up to and with their own."""
        return self.chosen(np.flatnonzero(self.at - self.first >= window - 1))

    def thinned(self, limit: int) -> "Examples":
        """At most `limit` of them, evenly."""
        count = len(self.at)
        return self if count <= limit else self.chosen(np.arange(limit) * count // limit)

    def chosen(self, which: Indices) -> "Examples":
        """Some of them."""
        return self._replace(
            at=self.at[which],
            first=self.first[which],
            label=self.label[which],
            weight=self.weight[which],
        )

    def rows_in_windows(self, window: int) -> Rows:
        """Every row that lies in a window of one of them, each once, float32 [m, F]."""
        edges = np.zeros(len(self.table) + 1, np.int64)
        np.add.at(edges, np.maximum(self.at - window + 1, self.first), 1)
        np.add.at(edges, self.at + 1, -1)
        rows: Rows = self.table[np.cumsum(edges[:-1]) > 0]
        return rows

    def windows(self, length: int) -> Rows:
        """The rows up to and with each, float32 [k, length, F]; each must have so many."""
        windows: Rows = self.table[self.at[:, None] + np.arange(1 - length, 1)]
        return windows


def first_rows(feed: npt.NDArray[np.int32]) -> Indices:
    """For each row the place of its feed's first row. Rows follow each other feed by feed."""
    starts = np.flatnonzero(np.diff(feed, prepend=-1))
    return np.repeat(starts, np.diff([*starts.tolist(), len(feed)]))
