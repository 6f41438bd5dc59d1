"""Rows on their way to a table: columns of one message, merged into large insert blocks.

An insert costs the warehouse the same for ten rows as for thousands (parts, views, merges), so
rows of all feeds go into one block of a table.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from adapters.clickhouse.native import Column, Runs


class Rows(NamedTuple):
    """Rows for one table; columns may be constant (see `Column`), hence `size`."""

    table: str
    columns: Sequence[Column]
    size: int


def merge(parts: list[Rows]) -> Rows:
    """Rows of the same table as one, in the order given."""
    if len(parts) == 1:
        return parts[0]
    first, sizes = parts[0], [part.size for part in parts]
    columns = tuple(
        replace(column, values=_joined([part.columns[i].values for part in parts], sizes))
        for i, column in enumerate(first.columns)
    )
    return Rows(first.table, columns, sum(sizes))


def _joined(values: list[Any], sizes: list[int]) -> Any:
    """Equal constants stay one constant, other texts become runs and numbers are repeated; arrays
    and lists are concatenated.

    A part may be merged already (recovery state has such), so that a column is constant in one
    and not in another.
    """
    if all(_is_constant(value) and value == values[0] for value in values):
        return values[0]
    if all(isinstance(value, str | Runs) for value in values):
        return _in_runs(values, sizes)
    full = [
        _repeated(value, size) if _is_constant(value) else value
        for value, size in zip(values, sizes, strict=True)
    ]
    if isinstance(full[0], np.ndarray):
        return np.concatenate(_as_wide(full) if full[0].ndim == 2 else full)
    return [item for part in full for item in part]


def _in_runs(values: list[str | Runs], sizes: list[int]) -> Runs:
    runs = [
        value if isinstance(value, Runs) else Runs((value,), (size,))
        for value, size in zip(values, sizes, strict=True)
    ]
    return Runs(
        tuple(text for run in runs for text in run.texts),
        tuple(count for run in runs for count in run.counts),
    )


def _is_constant(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _repeated(value: Any, size: int) -> Any:
    return [value] * size if isinstance(value, str) else np.full(size, value)


def _as_wide(matrices: list[np.ndarray]) -> list[np.ndarray]:
    """Matrices of one width: models with fewer members have NaN for those they lack."""
    width = max(matrix.shape[1] for matrix in matrices)
    return [
        np.pad(m, ((0, 0), (0, width - m.shape[1])), constant_values=np.nan)
        if m.shape[1] < width
        else m
        for m in matrices
    ]
